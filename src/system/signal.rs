//! Signals that ask the program to end.

#[cfg(feature = "cli")]
mod handlers;

#[cfg(all(unix, feature = "cli"))]
pub use handlers::around_a_stop;
#[cfg(feature = "cli")]
pub use handlers::{Armed, end_on, notice_on};

/// A signal that asks the program to end. The shell's exit code is 128 plus the signal's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// SIGHUP.
    Hangup,
    /// SIGINT, as by Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}
