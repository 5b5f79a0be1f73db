//! The fourteen rules, and binding.
#![no_main]

use std::num::NonZeroU16;

use libfuzzer_sys::fuzz_target;
use loopin::redirect::{RegisteredRedirect, rules};

fuzz_target!(|uri: &str| {
    assert_eq!(14, rules::check(uri).findings.len());
    let port = NonZeroU16::new(25417).expect("a port");
    if let Ok(bound) = RegisteredRedirect::parse(uri).map_err(drop).and_then(|r| r.bind(port).map_err(drop)) {
        assert!(rules::compare(uri, bound.as_str()).broken().next().is_none());
    }
});
