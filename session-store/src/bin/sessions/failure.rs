//! Why a command ended, as a line and an exit code.
//!
//! Owns the exit codes; must not know the commands.

use std::io::{self, Write};
use std::process::ExitCode;

use session_store::Error;

/// What the program says at its end, and with which code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Something went wrong that has no code of its own.
    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
        }
    }

    /// Arguments that cannot be meant.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
        }
    }

    /// No such store or session.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            message: message.into(),
        }
    }

    /// A session that cannot be read as it is.
    pub(crate) fn damaged(message: impl Into<String>) -> Self {
        Self {
            code: 4,
            message: message.into(),
        }
    }

    /// Ended by Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self {
            code: 130,
            message: "interrupted".to_owned(),
        }
    }

    /// Says it on standard error. A reader that went away is no failure.
    pub(crate) fn report(self) -> ExitCode {
        if self.code != 0 {
            let message = crate::terminal::clean_line(&self.message);
            // Nobody is left to be told where standard error cannot be written.
            let _ = writeln!(anstream::stderr(), "sessions: {message}");
        }
        ExitCode::from(self.code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::InvalidId(_) => 2,
            Error::NotFound { .. } => 3,
            Error::Corrupt { .. } => 4,
            Error::Locked { .. } | Error::Conflict { .. } | Error::Partial { .. } => 5,
            Error::Cancelled => 130,
            _ => 1,
        };
        Self {
            code,
            message: error.to_string(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let code = u8::from(error.kind() != io::ErrorKind::BrokenPipe);
        Self {
            code,
            message: format!("write standard output: {error}"),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => io::Error::from(kind).into(),
            None => Self::other(error.to_string()),
        }
    }
}
