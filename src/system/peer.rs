//! Whose program is at the other end of a loopback connection. Tells, and decides nothing: behind WSL, SSH and
//! sandboxes an honest browser can run as somebody else.

use std::net::SocketAddr;

/// A user of this machine, by number.
pub type UserId = u32;

/// The user who owns the socket at `peer`, if the system tells (Linux, `/proc/net/tcp`) and it is not us.
#[cfg(target_os = "linux")]
pub fn other_user(peer: SocketAddr) -> Option<UserId> {
    let table = match peer {
        SocketAddr::V4(_) => "/proc/net/tcp",
        SocketAddr::V6(_) => "/proc/net/tcp6",
    };
    let owner = owner(&std::fs::read_to_string(table).ok()?, peer)?;
    (owner != nix::unistd::geteuid().as_raw()).then_some(owner)
}

#[cfg(not(target_os = "linux"))]
pub fn other_user(_: SocketAddr) -> Option<UserId> {
    None
}

/// Lines of proc_pid_net(5): `sl local_address rem_address st ... uid`, addresses in hexadecimal, host byte order.
#[cfg(target_os = "linux")]
fn owner(table: &str, peer: SocketAddr) -> Option<UserId> {
    let address = match peer {
        SocketAddr::V4(v4) => format!("{:08X}", u32::from_ne_bytes(v4.ip().octets())),
        SocketAddr::V6(v6) => v6
            .ip()
            .octets()
            .chunks_exact(4)
            .map(|c| format!("{:08X}", u32::from_ne_bytes([c[0], c[1], c[2], c[3]])))
            .collect(),
    };
    let local = format!("{address}:{:04X}", peer.port());
    let line = table.lines().find(|line| line.split_whitespace().nth(1) == Some(&local))?;
    line.split_whitespace().nth(7)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn l03_the_owner_of_a_connection_is_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n   \
                     1: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 65534        0 2 1 0 20 4 30 10 -1\n";
        assert_eq!(Some(65534), owner(table, "127.0.0.1:54321".parse().expect("address")));
        assert_eq!(None, owner(table, "127.0.0.1:54322".parse().expect("address")));
    }
}
