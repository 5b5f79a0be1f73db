//! Request heads: the verdict does not depend on how the bytes are cut, and no more is held than the limits say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use loopin::head::{HeadReader, Limits, Progress};

fn verdict(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> String {
    let mut reader = HeadReader::new(Limits::DEFAULT);
    for piece in pieces {
        match reader.push(piece.as_ref()) {
            Progress::NeedMore => assert!(reader.held() <= Limits::DEFAULT.head * 2),
            Progress::Reject(rejection) => return format!("{rejection:?}"),
            Progress::Complete { head, .. } => return format!("{:?} {:?} {:?}", head.method, head.target, head.host),
        }
    }
    "more".into()
}

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(verdict([bytes].iter()), verdict(bytes.iter().map(std::slice::from_ref)));
});
