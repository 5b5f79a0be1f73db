//! The query of an authorization response.
#![no_main]

use libfuzzer_sys::fuzz_target;
use loopin::oauth::Answer;

fuzz_target!(|query: &[u8]| {
    let _ = Answer::parse(query);
});
