//! How a command ends.

use std::{fmt::Display, io, path::Path};

use anstream::eprintln;
use tower_authz::PolicyError;

use crate::diagnostics::ERROR;

/// How a command ends that could do its work; the values are exit statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine = 0,
    /// There is something to mend, or the request is denied.
    Findings = 1,
    /// The input cannot be used, or a part of it.
    Unusable = 2,
}

/// Why a command cannot do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The policy does not load.
    Policy(PolicyError),
    /// Something else cannot be used.
    Input(String),
    /// The output cannot be written.
    Output(io::Error),
}

impl Failure {
    /// A file that cannot be used, and why.
    pub(crate) fn file(path: &Path, why: impl Display) -> Self {
        Self::Input(format!("{}: {why}", path.display()))
    }

    /// Tells it on standard error. A reader that has closed the pipe has what it wants.
    pub(crate) fn report(self) -> Result<Outcome, Self> {
        match &self {
            Self::Policy(error) => eprintln!("{}", crate::diagnostics::of_error(error)),
            Self::Input(why) => eprintln!("{ERROR}error{ERROR:#}: {why}"),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Outcome::Fine),
            Self::Output(error) => eprintln!("{ERROR}error{ERROR:#}: the output cannot be written: {error}"),
        }
        Err(self)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}
