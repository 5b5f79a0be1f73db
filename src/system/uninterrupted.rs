//! System calls that a signal has interrupted (EINTR), called again.
//!
//! Most of std does that itself: `connect`, `accept`, `read_exact`, `write_all`, `wait`. A single `read` does not, and
//! neither do `peek` and what nix has. A process that is stopped and continued, or frozen together with its machine,
//! interrupts every wait on a socket with a time-out, without any handler of its own (signal(7)).

use std::io::{self, ErrorKind};

/// The first result that is none of a signal's.
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
