//! The program that started this one, at the other end of standard input.

use std::io::{self, Read};

use super::uninterrupted::uninterrupted;

/// What it wrote, as much as there is; nothing when it has closed its end.
///
/// # Errors
/// Standard input broke.
pub fn read(buffer: &mut [u8]) -> io::Result<usize> {
    uninterrupted(|| io::stdin().lock().read(buffer))
}

/// Whether it has closed its end, though what it wrote before may not be read yet.
#[cfg(unix)]
pub fn is_gone() -> bool {
    use std::os::fd::AsFd;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let stdin = io::stdin();
    let mut ends = [PollFd::new(stdin.as_fd(), PollFlags::empty())];
    let told = uninterrupted(|| Ok(poll(&mut ends, PollTimeout::ZERO)?)).is_ok_and(|count| count > 0);
    told && ends[0].revents().is_some_and(|events| events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR))
}

/// Elsewhere a read tells.
#[cfg(not(unix))]
pub fn is_gone() -> bool {
    false
}
