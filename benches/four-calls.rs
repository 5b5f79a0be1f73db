//! Hello, OpenSession, SearchItems, GetSecret, and nothing else: what `loopin token` cannot do without.
//!
//!     four-calls USERNAME

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::{collections::HashMap, time::Duration};

    use dbus::{Path, arg::Variant, blocking::Connection};

    type Secret = (Path<'static>, Vec<u8>, Vec<u8>, String);

    let username = std::env::args().nth(1).unwrap_or_default();
    let attributes = HashMap::from([("service", "loopin"), ("username", username.as_str())]);
    let connection = Connection::new_session()?;
    let at = |path: Path<'static>| connection.with_proxy("org.freedesktop.secrets", path, Duration::from_secs(2));
    let (root, service) = (Path::from("/org/freedesktop/secrets"), "org.freedesktop.Secret.Service");
    let (_, session): (Variant<String>, Path<'static>) =
        at(root.clone()).method_call(service, "OpenSession", ("plain", Variant(String::new())))?;
    let (items, _): (Vec<Path<'static>>, Vec<Path<'static>>) =
        at(root).method_call(service, "SearchItems", (attributes,))?;
    let item = items.into_iter().next().ok_or("no such item")?;
    let ((_, _, value, _),): (Secret,) =
        at(item).method_call("org.freedesktop.Secret.Item", "GetSecret", (session,))?;
    if value.is_empty() { Err("the item is empty".into()) } else { Ok(()) }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
