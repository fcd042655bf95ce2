//! An example as a process.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// A running example; it is killed with the last use of it.
pub(crate) struct Program {
    child: Child,
    /// What it printed before it began to serve.
    pub(crate) printed: Vec<String>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Program {
    pub(crate) fn start(example: &str) -> Self {
        let path = path_of(example);
        let spawned = Command::new(&path).args(["--addr", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo test` builds the examples, `cargo test --test examples` does not",
                path.display()
            )
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let log = Arc::default();
        let mut program = Self { child, printed: Vec::new(), log };
        let printed = lines.by_ref().map(Result::unwrap).take_while(|line| line != "decisions as they are made:");
        program.printed.extend(printed);
        assert!(program.printed.first().is_some_and(|line| line.starts_with("listening on http://127.0.0.1:")));
        program.listen(lines);
        program
    }

    fn listen(&self, lines: Lines<BufReader<ChildStdout>>) {
        let log = Arc::clone(&self.log);
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| log.lock().unwrap().push(line)));
    }

    /// The number of logged lines that hold `text`. It waits until the log is quiet.
    pub(crate) fn logged(&self, text: &str) -> usize {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut seen = usize::MAX;
        loop {
            let log = self.log.lock().unwrap();
            if log.len() == seen || Instant::now() > deadline {
                return log.iter().filter(|line| line.contains(text)).count();
            }
            seen = log.len();
            drop(log);
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Where cargo puts examples: beside the directory of the tests.
fn path_of(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let directory = test.ancestors().nth(2).unwrap().join("examples");
    directory.join(format!("{example}{}", env::consts::EXE_SUFFIX))
}
