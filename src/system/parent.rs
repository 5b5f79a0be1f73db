//! The program that started this one, at the other end of standard input.

use std::io::{self, Read};

use super::uninterrupted::uninterrupted;

/// Reads what is available; nothing if the other end is closed.
///
/// # Errors
/// Standard input failed.
pub fn read(buffer: &mut [u8]) -> io::Result<usize> {
    uninterrupted(|| io::stdin().lock().read(buffer))
}

/// Whether the other end is closed. Its last bytes may not be read yet.
#[cfg(unix)]
pub fn is_gone() -> bool {
    use std::os::fd::AsFd;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let stdin = io::stdin();
    let mut ends = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
    let told = uninterrupted(|| Ok(poll(&mut ends, PollTimeout::ZERO)?)).is_ok_and(|count| count > 0);
    told && ends[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR))
}

/// On other systems a read returns it.
#[cfg(not(unix))]
pub fn is_gone() -> bool {
    false
}
