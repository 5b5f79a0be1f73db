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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{refresh::WorkerMessage, secret::Secret, vault::StoreError};

    #[test]
    fn an_error_crosses_to_another_process_with_its_class_its_message_and_its_fix() {
        let reported = ReportedError::new(Code::Store, "the disk is full".into(), Some("delete something".into()));
        let line = WorkerMessage::Failure(reported.clone()).line();
        assert_eq!(
            r#"{"v":1,"message":{"failure":{"code":"store","message":"the disk is full","remedy":"delete something"}}}"#,
            line.expose()
        );
        let Some(WorkerMessage::Failure(read)) = WorkerMessage::<ReportedError>::parse(&line) else {
            panic!("the error is lost")
        };
        assert_eq!(reported, read);
        let error = Error::from(read);
        assert_eq!((Code::Store, "the disk is full"), (error.code(), error.to_string().as_str()));
        assert_eq!(reported, ReportedError::plain(&error), "it is passed on as it came");
    }

    #[test]
    fn an_error_of_an_unknown_class_is_not_read() {
        let line = r#"{"v":1,"message":{"failure":{"code":"nonsense","message":"?","remedy":null}}}"#;
        assert!(WorkerMessage::<ReportedError>::parse(&Secret::new(line.into())).is_none());
    }

    #[test]
    fn a_program_without_words_of_its_own_reports_class_and_message() {
        let plain = ReportedError::plain(&Error::Store(StoreError::Locked));
        assert_eq!(ReportedError::new(Code::Store, "the keychain is locked".into(), None), plain);
    }
}
