//! Ports for what has to name one, in both suites.

use std::{
    fs::File,
    net::{Ipv4Addr, TcpListener},
    sync::Mutex,
};

/// None that the kernel hands out for port 0, and locked as long as this process lives: tests side by side, in this
/// process or in another one, never share one.
pub fn fixed_port() -> u16 {
    static LOCKED: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let directory = std::env::temp_dir().join("loopin-ports");
    std::fs::create_dir_all(&directory).expect("directory");
    // Neighbors begin elsewhere, so most get the first port they try.
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).expect("small");
    for port in (first..32_000).chain(20_000..first) {
        let file = File::create(directory.join(port.to_string())).expect("lock file");
        if file.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            LOCKED.lock().expect("ports").push(file);
            return port;
        }
    }
    panic!("no port below 32000 is free");
}
