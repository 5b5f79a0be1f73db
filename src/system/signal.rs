//! Signals that ask the program to end.

/// The shell's exit code is 128 plus the signal's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Hangup,
    Interrupt,
    Terminate,
}

/// From now on such a signal ends the program with the code that `farewell` gives. It runs on a thread of its own,
/// so nothing that the program waits for can hold it up. Elsewhere the system's own behaviour stays.
#[cfg(unix)]
pub fn end_on(farewell: impl Fn(Signal) -> u8 + Send + 'static) {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let code = farewell(match signal {
                SIGHUP => Signal::Hangup,
                SIGINT => Signal::Interrupt,
                _ => Signal::Terminate,
            });
            #[expect(
                clippy::exit,
                clippy::disallowed_methods,
                reason = "the main thread may be waiting for a provider"
            )]
            std::process::exit(code.into());
        }
    });
}

#[cfg(not(unix))]
pub fn end_on(_: impl Fn(Signal) -> u8 + Send + 'static) {}
