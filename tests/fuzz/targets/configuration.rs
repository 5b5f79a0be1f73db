//! The configuration file; what is added to it can be read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use loopin::catalog::{self, Catalog, IntegrationName, NewIntegration};

fuzz_target!(|text: &str| {
    if Catalog::parse(text).is_ok() {
        let name = IntegrationName::parse("added").expect("a name");
        let new = NewIntegration { issuer: Some("https://op.example".into()), client_id: "me".into(), ..Default::default() };
        if let Ok(changed) = catalog::add(text, &name, &new) {
            assert!(Catalog::parse(&changed).is_ok_and(|catalog| catalog.get("added").is_ok()));
        }
    }
});
