//! The directories in which something may happen to a file.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};

/// The most symbolic links that are followed.
const MOST_LINKS: usize = 16;

/// Watches the directories of a file, and of every symbolic link on the way to it.
pub(super) struct Directories {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    /// The names of the file and of the links.
    names: BTreeSet<OsString>,
}

/// What an event means for the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It may have changed.
    Changed,
    /// Somebody is writing it, and has not closed it yet.
    Writing,
}

impl Directories {
    pub(super) fn new(watcher: RecommendedWatcher) -> Self {
        Self { watcher, watched: BTreeSet::new(), names: BTreeSet::new() }
    }

    /// Watches what the way to `file` leads through now. What cannot be watched is tried again next time.
    pub(super) fn follow(&mut self, file: &Path) -> notify::Result<()> {
        let Way { directories, names } = Way::to(file);
        self.names = names;
        for gone in self.watched.difference(&directories) {
            // A directory that was removed is watched no more, and cannot be let go.
            let _ = self.watcher.unwatch(gone);
        }
        self.watched.retain(|directory| directories.contains(directory) && directory.exists());
        let mut outcome = Ok(());
        for directory in directories {
            if self.watched.contains(&directory) {
                continue;
            }
            match self.watcher.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(directory)),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    /// What an event means for the file; nothing if it is about others, or if we cause it ourselves by reading.
    pub(super) fn meaning(&self, event: &notify::Result<Event>) -> Option<Meaning> {
        let Ok(event) = event else { return Some(Meaning::Changed) };
        let named = |path: &PathBuf| path.file_name().is_some_and(|name| self.names.contains(name));
        let concerned =
            event.need_rescan() || event.paths.iter().any(|path| named(path) || self.watched.contains(path));
        match event.kind {
            _ if !concerned => None,
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Meaning::Changed),
            EventKind::Access(_) => None,
            EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => Some(Meaning::Writing),
            _ => Some(Meaning::Changed),
        }
    }
}

/// The way to a file: Kubernetes exchanges the link to the directory in which it lies, editors the file itself.
#[derive(Default)]
struct Way {
    directories: BTreeSet<PathBuf>,
    names: BTreeSet<OsString>,
}

impl Way {
    fn to(file: &Path) -> Self {
        let mut way = Self::default();
        let mut at = file.to_path_buf();
        for _ in 0..MOST_LINKS {
            way.add(&at);
            for link in at.ancestors().skip(1).filter(|ancestor| ancestor.is_symlink()) {
                way.add(link);
            }
            match fs::read_link(&at) {
                Ok(target) => at = directory(&at).join(target),
                Err(_) => break,
            }
        }
        way
    }

    fn add(&mut self, entry: &Path) {
        let directory = directory(entry);
        self.directories.insert(fs::canonicalize(&directory).unwrap_or(directory));
        self.names.extend(entry.file_name().map(ToOwned::to_owned));
    }
}

fn directory(entry: &Path) -> PathBuf {
    match entry.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, Flag, RemoveKind, RenameMode};

    use super::{Meaning::*, *};

    /// The directory of this package, by its real name.
    fn here() -> PathBuf {
        fs::canonicalize(".").unwrap()
    }

    fn following(file: &Path) -> Directories {
        let mut directories = Directories::new(notify::recommended_watcher(|_| ()).unwrap());
        directories.follow(file).unwrap();
        directories
    }

    #[test]
    fn events_mean_something_where_they_are_about_the_file_and_not_made_by_reading_it() {
        let directories = following(Path::new("Cargo.toml"));
        let closed = |mode| EventKind::Access(AccessKind::Close(mode));
        for (kind, meaning) in [
            (closed(AccessMode::Write), Some(Changed)),
            (closed(AccessMode::Read), None),
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), None),
            (EventKind::Access(AccessKind::Read), None),
            (EventKind::Create(CreateKind::File), Some(Writing)),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), Some(Writing)),
            (EventKind::Modify(ModifyKind::Name(RenameMode::To)), Some(Changed)),
            (EventKind::Modify(ModifyKind::Any), Some(Changed)),
            (EventKind::Remove(RemoveKind::File), Some(Changed)),
            (EventKind::Any, Some(Changed)),
        ] {
            let meaning_at = |path: PathBuf| directories.meaning(&Ok(Event::new(kind).add_path(path)));
            assert_eq!(meaning_at(here().join("Cargo.toml")), meaning, "{kind:?} of the file");
            assert_eq!(meaning_at(here()), meaning, "{kind:?} of its directory");
            assert_eq!(meaning_at(here().join("Cargo.lock")), None, "{kind:?} of another file");
            assert_eq!(directories.meaning(&Ok(Event::new(kind))), None, "{kind:?} of nothing");
            let both = Event::new(kind).add_path(here().join("Cargo.lock")).add_path(here().join("Cargo.toml"));
            assert_eq!(directories.meaning(&Ok(both)), meaning, "{kind:?} of both");
        }
        let missed = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(directories.meaning(&Ok(missed)), Some(Changed), "events got lost");
        assert_eq!(directories.meaning(&Err(notify::Error::generic("broken"))), Some(Changed));
    }

    #[test]
    fn a_name_without_a_directory_is_in_that_of_the_process() {
        for (file, directory) in
            [("Cargo.toml", here()), ("./Cargo.toml", here()), ("src/lib.rs", here().join("src")), ("/etc", "/".into())]
        {
            let watched = following(Path::new(file)).watched;
            assert!(watched.contains(&directory), "{file}: {watched:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_the_way_leads_through_no_longer_is_let_go_and_what_came_back_is_watched_again() {
        let root = std::env::temp_dir().join(format!("tower-authz-way-{}", std::process::id()));
        let at = |name: &str| fs::canonicalize(&root).unwrap().join(name);
        for name in ["one", "two"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let link = root.join("current");
        let point_to = |name: &str| {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(name, &link).unwrap();
        };
        point_to("one");
        let file = link.join("policy.json");
        let mut directories = following(&file);
        let expected = |name: &str| BTreeSet::from([at(""), at(name)].map(|path| path.components().collect()));
        assert_eq!(directories.watched, expected("one"));
        point_to("two");
        directories.follow(&file).unwrap();
        assert_eq!(directories.watched, expected("two"));
        fs::remove_dir(at("two")).unwrap();
        assert!(directories.follow(&file).is_err(), "there is nothing to watch");
        assert_eq!(directories.watched, expected("").into_iter().take(1).collect());
        fs::create_dir(at("two")).unwrap();
        directories.follow(&file).unwrap();
        assert_eq!(directories.watched, expected("two"));
        fs::remove_dir_all(root).unwrap();
    }
}
