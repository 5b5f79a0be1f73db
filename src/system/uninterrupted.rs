//! Repeats system calls that a signal has interrupted (EINTR).
//!
//! std does that itself for `connect`, `accept`, `read_exact`, `write_all` and `wait`, but not for a single `read`,
//! `peek` or the calls of nix. A process that is stopped and continued, or suspended with its machine, gets EINTR from
//! every wait on a socket with a timeout, even without a signal handler (signal(7)).

use std::io::{self, ErrorKind};

/// The first result that is not EINTR.
///
/// # Errors
/// Every other error of `call`.
pub fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_made_again_until_no_signal_interrupts_it() {
        for (interruptions, expected) in
            [(0, Ok(7)), (3, Ok(7)), (0, Err(ErrorKind::WouldBlock)), (3, Err(ErrorKind::TimedOut))]
        {
            let mut calls = 0;
            let result = uninterrupted(|| {
                calls += 1;
                match calls <= interruptions {
                    true => Err(ErrorKind::Interrupted.into()),
                    false => expected.map_err(io::Error::from),
                }
            });
            assert_eq!((expected, interruptions + 1), (result.map_err(|error| error.kind()), calls));
        }
    }
}
