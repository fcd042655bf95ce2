//! Watching one file on a thread of its own.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use notify::Event;

use super::{
    attempt::{Guard, Loader, Reload},
    directories::{Directories, Meaning},
};
use crate::policy::{Policy, PolicyError, PolicyHandle};

/// After how long without news the file is looked at all the same: events can get lost.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// So many times the debounce time passes at most before an attempt is made, however busy the file is.
const PATIENCE: u32 = 20;

/// Watches the file of a policy: a good change is in force a moment later, and nothing else ever is.
///
/// The watch ends when this is dropped; the policy stays. Files that are written in place, editors that rename
/// a new file over the old one, and Kubernetes, which exchanges symbolic links, are all noticed. A change is loaded once
/// the file was left alone for a while. Requests never wait for it.
///
/// ```no_run
/// use tower_authz::{AuthzLayer, authn, reload::PolicyWatch};
///
/// let watch = PolicyWatch::builder("policy.json").start()?;
/// let authz = AuthzLayer::builder(watch.handle()).authenticator(authn::principal_extension()).build()?;
/// println!("{:?}", watch.handle().status());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the watch ends when it is dropped"]
pub struct PolicyWatch {
    loader: Loader,
    news: Sender<News>,
}

/// Builds a [`PolicyWatch`]; see [`PolicyWatch::builder`].
#[must_use]
pub struct PolicyWatchBuilder {
    path: PathBuf,
    debounce: Duration,
    guards: Vec<Arc<Guard>>,
    refuses_widening: bool,
    observer: Option<Box<Observer>>,
}

/// Why a file cannot be watched.
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchError {
    /// There is no good policy to begin with.
    Policy(PolicyError),
    /// The system does not let the file be watched.
    System(notify::Error),
}

type Observer = dyn Fn(&Reload) + Send;

enum News {
    /// Something happened in a directory on the way to the file.
    Event(notify::Result<Event>),
    End,
}

impl PolicyWatch {
    /// Begins to watch the policy in `path`, whose extension tells the format.
    pub fn builder(path: impl Into<PathBuf>) -> PolicyWatchBuilder {
        PolicyWatchBuilder {
            path: path.into(),
            debounce: Duration::from_millis(100),
            guards: Vec::new(),
            refuses_widening: false,
            observer: None,
        }
    }

    /// Where the policy is: hand it to [`AuthzLayer::builder`](crate::AuthzLayer::builder).
    pub fn handle(&self) -> &PolicyHandle {
        &self.loader.handle
    }

    /// Loads the file now, on the thread of the caller: for a signal, or an endpoint of the operator.
    pub fn reload(&self) -> Reload {
        self.loader.attempt()
    }
}

impl Drop for PolicyWatch {
    fn drop(&mut self) {
        // If the thread is gone, there is nobody to tell.
        let _ = self.news.send(News::End);
    }
}

impl fmt::Debug for PolicyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyWatch").field("loader", &self.loader).finish_non_exhaustive()
    }
}

impl PolicyWatchBuilder {
    /// How long the file must be left alone before it is loaded; 100 milliseconds if not set.
    pub fn debounce(self, debounce: Duration) -> Self {
        Self { debounce, ..self }
    }

    /// Asks before a good policy (the second) replaces the one in force (the first). It stays, with an event, if this
    /// gives a reason why, or panics.
    ///
    /// ```no_run
    /// use tower_authz::reload::PolicyWatch;
    ///
    /// let watch = PolicyWatch::builder("policy.json")
    ///     .guard(|_, next| if next.realm() == Some("billing") { Ok(()) } else { Err("another realm".to_owned()) })
    ///     .start()?;
    /// # Ok::<(), tower_authz::reload::WatchError>(())
    /// ```
    pub fn guard(mut self, guard: impl Fn(&Policy, &Policy) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }

    /// Whether a policy is refused that lets anybody do what the one in force does not, as [`Diff`](crate::analysis::Diff)
    /// proves it. A wider policy then takes effect when the service starts anew.
    pub fn refuse_widening(self, refuse: bool) -> Self {
        Self { refuses_widening: refuse, ..self }
    }

    /// Is told of every attempt that the watch makes, beside the event. If it panics, that is an event, too, and the watch
    /// goes on.
    pub fn on_reload(self, observer: impl Fn(&Reload) + Send + 'static) -> Self {
        Self { observer: Some(Box::new(observer)), ..self }
    }

    /// Loads the policy, and watches the file from then on.
    ///
    /// # Errors
    ///
    /// When the file does not hold a good policy now, or the system does not let it be watched.
    pub fn start(self) -> Result<PolicyWatch, WatchError> {
        let (news, inbox) = mpsc::channel();
        let sender = news.clone();
        let watcher = notify::recommended_watcher(move |event| {
            // If nobody listens any more, the watch has ended.
            let _ = sender.send(News::Event(event));
        });
        let mut directories = Directories::new(watcher.map_err(WatchError::System)?);
        directories.follow(&self.path).map_err(WatchError::System)?;
        let policy = Policy::from_file(&self.path).map_err(WatchError::Policy)?;
        let loader = Loader {
            path: self.path,
            handle: PolicyHandle::new(policy),
            guards: self.guards,
            refuses_widening: self.refuses_widening,
            turn: Arc::new(Mutex::new(())),
        };
        let keeper = Keeper { loader: loader.clone(), directories, debounce: self.debounce, observer: self.observer };
        let thread = thread::Builder::new().name("policy-watch".to_owned()).spawn(move || keeper.run(&inbox));
        thread.map_err(|error| WatchError::System(notify::Error::io(error)))?;
        Ok(PolicyWatch { loader, news })
    }
}

impl fmt::Debug for PolicyWatchBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyWatchBuilder").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What the thread has.
struct Keeper {
    loader: Loader,
    directories: Directories,
    debounce: Duration,
    observer: Option<Box<Observer>>,
}

impl Keeper {
    fn run(mut self, inbox: &Receiver<News>) {
        while self.wait(inbox).is_some() {
            // The observer, and whoever listens to events, are code of the application.
            if catch_unwind(AssertUnwindSafe(|| self.look())).is_err() {
                let _ = catch_unwind(AssertUnwindSafe(|| self.tell_of_panic()));
            }
        }
    }

    fn look(&mut self) {
        if let Err(error) = self.directories.follow(&self.loader.path) {
            tracing::warn!(
                target: "tower_authz",
                { authz.policy.file = %self.loader.path.display(), authz.detail = %error },
                "a directory of the policy cannot be watched; it is tried again"
            );
        }
        let reload = self.loader.attempt();
        if let Some(observer) = &self.observer {
            observer(&reload);
        }
    }

    fn tell_of_panic(&self) {
        tracing::error!(
            target: "tower_authz",
            { event.name = "authz.policy.watch_panicked", authz.policy.file = %self.loader.path.display() },
            "whoever was told of the policy panicked; the file is watched as before"
        );
    }

    /// Waits until the file has changed and is left alone, or for the longest time. Nothing if the watch has ended.
    fn wait(&self, inbox: &Receiver<News>) -> Option<()> {
        loop {
            match inbox.recv_timeout(LOOK_AGAIN) {
                Ok(News::End) | Err(RecvTimeoutError::Disconnected) => return None,
                Ok(News::Event(event)) => {
                    if let Some(meaning) = self.directories.meaning(&event) {
                        return self.settle(inbox, meaning);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Some(()),
            }
        }
    }

    /// Waits until the file is left alone, longer while somebody has it open. Nothing if the watch has ended.
    fn settle(&self, inbox: &Receiver<News>, first: Meaning) -> Option<()> {
        let longest = self.debounce * PATIENCE;
        let deadline = Instant::now() + longest;
        let mut latest = first;
        loop {
            let quiet = if latest == Meaning::Writing { longest } else { self.debounce };
            let left = deadline.saturating_duration_since(Instant::now());
            match inbox.recv_timeout(quiet.min(left)) {
                Ok(News::End) | Err(RecvTimeoutError::Disconnected) => return None,
                Ok(News::Event(event)) => latest = self.directories.meaning(&event).unwrap_or(latest),
                Err(RecvTimeoutError::Timeout) => return Some(()),
            }
        }
    }
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(error) => error.fmt(f),
            Self::System(error) => write!(f, "the policy cannot be watched: {error}"),
        }
    }
}

impl std::error::Error for WatchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Policy(error) => Some(error),
            Self::System(error) => Some(error),
        }
    }
}
