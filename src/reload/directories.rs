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
