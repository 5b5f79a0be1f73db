//! Whose program is at the other end of a loopback connection. Tells, and decides nothing: behind WSL, SSH and
//! sandboxes an honest browser can run as somebody else.

use std::net::SocketAddr;

/// A user of this machine, by number.
pub type UserId = u32;

/// The user who owns the socket that is `peer` at its own end and `local` at the other, if the system tells (Linux)
/// and it is not us.
#[cfg(target_os = "linux")]
pub fn other_user(peer: SocketAddr, local: SocketAddr) -> Option<UserId> {
    let owner = sock_diag::owner(peer, local)?;
    (owner != nix::unistd::geteuid().as_raw()).then_some(owner)
}

#[cfg(not(target_os = "linux"))]
pub fn other_user(_: SocketAddr, _: SocketAddr) -> Option<UserId> {
    None
}

/// sock_diag(7): one question about one socket. `/proc/net/tcp` would make the kernel print the table of all.
#[cfg(target_os = "linux")]
mod sock_diag {
    use std::{
        fs::File,
        io::{Read, Write},
        net::{IpAddr, SocketAddr},
    };

    use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};

    use super::UserId;

    /// `struct nlmsghdr` and `struct inet_diag_req_v2`.
    const QUESTION_BYTES: u32 = 16 + 56;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const IPPROTO_TCP: u8 = 6;
    /// Of `idiag_uid` in the answer: the header, then 64 bytes of `struct inet_diag_msg`.
    const UID_AT: usize = 16 + 64;

    pub fn owner(peer: SocketAddr, local: SocketAddr) -> Option<UserId> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let netlink = socket(AddressFamily::Netlink, SockType::Datagram, flags, SockProtocol::NetlinkSockDiag).ok()?;
        let mut netlink = File::from(netlink);
        // An unconnected netlink socket writes to the kernel, which has answered when write returns.
        netlink.write_all(&question(peer, local)).ok()?;
        let mut answer = [0; 1024];
        let length = netlink.read(&mut answer).ok()?;
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

    fn read(answer: &[u8]) -> Option<UserId> {
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        let uid = answer.get(UID_AT..UID_AT + 4)?.try_into().ok()?;
        (kind == SOCK_DIAG_BY_FAMILY).then(|| UserId::from_ne_bytes(uid))
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
                assert_eq!(Some(nix::unistd::geteuid().as_raw()), owner(peer, local), "{address}");
                let nobody = SocketAddr::new(peer.ip(), 1);
                assert_eq!(None, owner(nobody, local), "{address}: there is no such connection");
            }
        }
    }
}
