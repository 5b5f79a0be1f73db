//! Whether a loopback address can be bound and reached, as the listener of a login needs it.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use super::{clock, pause};

/// A connection to this machine takes milliseconds. One that takes longer is held up by a filter.
const REACHED_WITHIN: Duration = Duration::from_secs(2);

/// What happened at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    Reached,
    NotBound(io::ErrorKind),
    /// It was bound, and no connection to it arrived.
    NotReached(io::ErrorKind),
}

/// Binds the address for a moment and connects to it. Port 0 is any free port.
pub fn probe(address: SocketAddr) -> Probe {
    match TcpListener::bind(address) {
        Err(error) => Probe::NotBound(error.kind()),
        Ok(listener) => reach(&listener).map_or_else(|error| Probe::NotReached(error.kind()), |()| Probe::Reached),
    }
}

fn reach(listener: &TcpListener) -> io::Result<()> {
    let until = clock::instant() + REACHED_WITHIN;
    listener.set_nonblocking(true)?;
    let client = TcpStream::connect_timeout(&listener.local_addr()?, REACHED_WITHIN)?.local_addr()?;
    // Another program could have accepted in our place, or could connect at the same time.
    loop {
        match listener.accept() {
            Ok((_, peer)) if peer == client => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if clock::instant() >= until => return Err(io::ErrorKind::TimedOut.into()),
            Err(_) => pause::briefly(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_can_be_bound_is_reached_and_a_taken_one_is_reported() {
        let taken = TcpListener::bind("127.0.0.1:0").and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = taken.expect("a port");
        assert_eq!(Probe::NotBound(io::ErrorKind::AddrInUse), probe(address));
        assert_eq!(Probe::Reached, probe("127.0.0.1:0".parse().expect("address")));
        drop(listener);
        // No machine has an address of a network for documentation (RFC 5737).
        assert!(matches!(probe("192.0.2.7:0".parse().expect("address")), Probe::NotBound(_)));
    }
}
