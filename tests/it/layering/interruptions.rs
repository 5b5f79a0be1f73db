//! A signal is no answer: a single read that it interrupts is made again. A process that is stopped and continued, or
//! frozen together with its machine, gets EINTR at every socket with a time-out, without any handler of its own.

use std::{fs, path::Path};

use super::collect;

/// What std makes once. `read_exact`, `read_to_end`, `write_all`, `connect`, `accept` and `wait` it makes again itself.
const SINGLE: [&str; 2] = [".read(&mut ", ".peek(&mut "];

#[test]
fn every_single_read_is_made_again_when_a_signal_interrupts_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    ["src", "tests", "benches", "examples"].iter().for_each(|name| collect(&root.join(name), &mut files));
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("layering/interruptions.rs")) {
        let text = fs::read_to_string(file).expect("source");
        let single = |line: &&str| SINGLE.iter().any(|call| line.contains(call)) && !line.contains("uninterrupted(");
        wrong.extend(text.lines().filter(single).map(|line| format!("{}: {}", file.display(), line.trim())));
    }
    assert!(wrong.is_empty(), "write uninterrupted(|| ...): {wrong:#?}");
}
