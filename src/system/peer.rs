//! The user at the other end of a loopback connection, as the system reports it. It decides nothing: behind WSL, SSH
//! and sandboxes a legitimate browser may run as another user.

use std::net::SocketAddr;

/// A user of this machine, by number.
pub type UserId = u32;

/// root, who can read this process anyway.
pub const ROOT: UserId = 0;

/// The owner of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody any more: the program that sent the request has closed the connection.
    Gone,
    Other(UserId),
    /// The system does not report it: not Linux, or a sandbox without sock_diag.
    Unknown,
    /// The user of this process.
    User,
}

/// The owner of the socket whose own address is `peer` and whose peer is `local`.
#[cfg(target_os = "linux")]
pub fn owner(peer: SocketAddr, local: SocketAddr) -> Owner {
    match sock_diag::owner(peer, local) {
        Some(Owner::Other(user)) if user == nix::unistd::geteuid().as_raw() => Owner::User,
        Some(owner) => owner,
        None => Owner::Unknown,
    }
}

#[cfg(not(target_os = "linux"))]
pub fn owner(_: SocketAddr, _: SocketAddr) -> Owner {
    Owner::Unknown
}

/// sock_diag(7): one question about one socket. `/proc/net/tcp` would print all of them.
#[cfg(target_os = "linux")]
mod sock_diag {
    use std::{
        fs::File,
        io::{Read, Write},
        net::{IpAddr, SocketAddr},
    };

    use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

    use super::{super::uninterrupted::uninterrupted, Owner, UserId};

    /// `struct nlmsghdr` and `struct inet_diag_req_v2`.
    const QUESTION_BYTES: u32 = 16 + 56;
    const NLMSG_ERROR: u16 = 2;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const IPPROTO_TCP: u8 = 6;
    /// The offset of `error` in `struct nlmsgerr`, after the header: the negative errno.
    const ERROR_AT: usize = 16;
    const NO_SUCH_SOCKET: i32 = -(nix::errno::Errno::ENOENT as i32);
    /// The offset of `idiag_uid` in the answer: the header, then 64 bytes of `struct inet_diag_msg`.
    const UID_AT: usize = 16 + 64;
    /// The offset of `idiag_inode`, after it. 0: no program has the socket open, and the uid means nothing.
    const INODE_AT: usize = UID_AT + 4;

    /// `None` if the kernel cannot be asked or does not answer.
    pub fn owner(peer: SocketAddr, local: SocketAddr) -> Option<Owner> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let netlink = socket(AddressFamily::Netlink, SockType::Datagram, flags, SockProtocol::NetlinkSockDiag).ok()?;
        let mut netlink = File::from(netlink);
        // An unconnected netlink socket writes to the kernel, which has answered when write returns.
        netlink.write_all(&question(peer, local)).ok()?;
        let mut answer = [0; 1024];
        let length = uninterrupted(|| netlink.read(&mut answer)).ok()?;
        read(&answer[..length])
    }

    fn question(peer: SocketAddr, local: SocketAddr) -> Vec<u8> {
        let family = if peer.is_ipv4() { AF_INET } else { AF_INET6 };
        let mut question = Vec::with_capacity(QUESTION_BYTES as usize);
        question.extend(QUESTION_BYTES.to_ne_bytes());
        question.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        question.extend(NLM_F_REQUEST.to_ne_bytes());
        question.extend([0; 8]); // sequence and port, which nobody compares
        question.extend([family, IPPROTO_TCP, 0, 0]);
        question.extend(u32::MAX.to_ne_bytes()); // in any state
        question.extend(peer.port().to_be_bytes());
        question.extend(local.port().to_be_bytes());
        question.extend(address(peer.ip()));
        question.extend(address(local.ip()));
        question.extend([0; 4]); // on any interface
        question.extend([0xff; 8]); // without a cookie
        question
    }

    fn address(ip: IpAddr) -> [u8; 16] {
        let mut bytes = [0; 16];
        match ip {
            IpAddr::V4(v4) => bytes[..4].copy_from_slice(&v4.octets()),
            IpAddr::V6(v6) => bytes = v6.octets(),
        }
        bytes
    }

    fn read(answer: &[u8]) -> Option<Owner> {
        let four = |at: usize| answer.get(at..at + 4)?.try_into().ok();
        match u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?) {
            NLMSG_ERROR if i32::from_ne_bytes(four(ERROR_AT)?) == NO_SUCH_SOCKET => Some(Owner::Gone),
            SOCK_DIAG_BY_FAMILY if four(INODE_AT)? == [0; 4] => Some(Owner::Gone),
            SOCK_DIAG_BY_FAMILY => Some(Owner::Other(UserId::from_ne_bytes(four(UID_AT)?))),
            _ => None,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn l03_the_owner_of_a_connection_is_asked_of_the_kernel() {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
                let local = listener.local_addr().expect("bound");
                let client = std::net::TcpStream::connect(local).expect("connected");
                let peer = client.local_addr().expect("connected");
                assert_eq!(Some(Owner::Other(nix::unistd::geteuid().as_raw())), owner(peer, local), "{address}");
                let nobody = SocketAddr::new(peer.ip(), 1);
                assert_eq!(Some(Owner::Gone), owner(nobody, local), "{address}: there is no such connection");
            }
        }

        /// The kernel reports uid 0 for such a socket, which would count as root.
        #[test]
        fn h06_a_connection_that_its_owner_has_closed_belongs_to_nobody() {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
                let local = listener.local_addr().expect("bound");
                let client = std::net::TcpStream::connect(local).expect("connected");
                let peer = client.local_addr().expect("connected");
                let (_accepted, _) = listener.accept().expect("accepted");
                drop(client);
                assert_eq!(Some(Owner::Gone), owner(peer, local), "{address}");
            }
        }
    }
}
