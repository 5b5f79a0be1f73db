//! An error that crosses from one process of loopin to another: from the refresh worker to its caller, and from a login to
//! those who share it. It crosses in words, because the other process may be of another release.

use serde::{Deserialize, Serialize};

use super::{Code, Error};

/// An error of another process, in the words in which that process reported it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ReportedError {
    /// The class of the error.
    pub code: Code,
    /// What happened and why.
    pub message: String,
    /// A command or a line of the configuration that fixes it.
    pub remedy: Option<String>,
}

impl ReportedError {
    /// `remedy` is a command or a line of the configuration.
    pub fn new(code: Code, message: String, remedy: Option<String>) -> Self {
        Self { code, message, remedy }
    }

    /// An error without a fix, for callers who have no words for one.
    pub fn plain(error: &Error) -> Self {
        match error {
            Error::Reported(reported) => reported.clone(),
            error => Self::new(error.code(), error.to_string(), None),
        }
    }
}
