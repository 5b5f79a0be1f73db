//! Binds one port for several addresses, or one address for several loops.

use std::io;
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroUsize};

use mio::net::TcpListener;

/// Binds every address to the port of the first one, or for port 0 to a port that is free for all.
pub(super) fn bind_all(addresses: &[SocketAddr]) -> io::Result<(Vec<TcpListener>, NonZeroU16)> {
    let free = addresses.first().is_some_and(|address| address.port() == 0);
    // A port that is free for the first address may be taken for another.
    let mut tries = 1..if free { PORT_TRIES } else { 1 };
    loop {
        match bind_each(addresses) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries.next().is_some() => {}
            bound => return bound,
        }
    }
}

fn bind_each(addresses: &[SocketAddr]) -> io::Result<(Vec<TcpListener>, NonZeroU16)> {
    let mut port = 0;
    let mut sockets = Vec::with_capacity(addresses.len());
    for &(mut address) in addresses {
        if port != 0 {
            address.set_port(port);
        }
        // The standard library sets SO_REUSEADDR on Unix, where it shares no port, and not on Windows, where it would.
        let socket = std::net::TcpListener::bind(address)?;
        port = socket.local_addr()?.port();
        sockets.push(ready(socket)?);
    }
    Ok((sockets, bound(port)?))
}

/// One socket per loop. The kernel distributes new connections among them.
#[cfg(target_os = "linux")]
pub(super) fn bind_shared(mut address: SocketAddr, loops: NonZeroUsize) -> io::Result<(Vec<TcpListener>, NonZeroU16)> {
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{
        AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, SockaddrIn6, bind, listen, setsockopt, socket,
        sockopt::{ReuseAddr, ReusePort, TcpNoDelay},
    };

    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let mut sockets = Vec::new();
    for index in 0..loops.get() {
        let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&socket, ReuseAddr, &true)?;
        // Every connection inherits it.
        setsockopt(&socket, TcpNoDelay, &true)?;
        // The first one is bound without SO_REUSEPORT: a port that another relay shares counts as taken.
        if index > 0 {
            setsockopt(&socket, ReusePort, &true)?;
        }
        match address {
            SocketAddr::V4(address) => bind(socket.as_raw_fd(), &SockaddrIn::from(address))?,
            SocketAddr::V6(address) => bind(socket.as_raw_fd(), &SockaddrIn6::from(address))?,
        }
        if index == 0 {
            setsockopt(&socket, ReusePort, &true)?;
        }
        let socket = std::net::TcpListener::from(socket);
        address.set_port(socket.local_addr()?.port());
        sockets.push(socket);
    }
    // They listen only when all are bound. Earlier connections are refused, and none is queued at a socket that is
    // closed again.
    for socket in &sockets {
        listen(socket, Backlog::MAXCONN)?;
    }
    Ok((sockets.into_iter().map(ready).collect::<io::Result<_>>()?, bound(address.port())?))
}

/// One socket for all loops.
#[cfg(not(target_os = "linux"))]
pub(super) fn bind_shared(address: SocketAddr, loops: NonZeroUsize) -> io::Result<(Vec<TcpListener>, NonZeroU16)> {
    let socket = std::net::TcpListener::bind(address)?;
    let port = bound(socket.local_addr()?.port())?;
    let sockets = (0..loops.get()).map(|_| ready(socket.try_clone()?)).collect::<io::Result<_>>()?;
    Ok((sockets, port))
}

fn ready(socket: std::net::TcpListener) -> io::Result<TcpListener> {
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket))
}

fn bound(port: u16) -> io::Result<NonZeroU16> {
    NonZeroU16::new(port).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// Tries until a port is free for both families. A second try is rare.
const PORT_TRIES: u32 = 16;
