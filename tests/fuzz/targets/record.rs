//! Stored records: damaged or from elsewhere, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use loopin::{secret::Secret, vault::Record};

fuzz_target!(|text: &str| {
    if let Ok(record) = Record::parse(&Secret::new(text.to_owned())) {
        assert!(Record::parse(&record.serialize()).is_ok());
    }
});
