//! Reading one item of the Secret Service with three calls on a connection of our own.
//!
//! Every asker reads, hundreds at once. The library gives each call 2 s and then hangs up, and a gnome-keyring that
//! finds the caller of OpenSession gone aborts, for everybody: whoever has called waits here for as long as he can.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use dbus::{Path, arg::Variant, blocking::Connection};

use super::clock;

const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const ITEM: &str = "org.freedesktop.Secret.Item";

/// For the whole of one read.
const PATIENCE: Duration = Duration::from_millis(4500);

pub enum Found {
    Nothing,
    Secret(Vec<u8>),
    /// Locked, or several: not to be had by reading alone.
    Other,
}

/// Session, parameters, value, content type: the Secret of the Secret Service API.
type Secret = (Path<'static>, Vec<u8>, Vec<u8>, String);

/// The item with these attributes. Secrets cross the bus in the plain.
///
/// # Errors
/// D-Bus errors, by their names.
pub fn read(attributes: &HashMap<&str, &str>) -> Result<Found, dbus::Error> {
    let until = clock::instant() + PATIENCE;
    let connection = Connection::new_session()?;
    let at = |path: Path<'static>| connection.with_proxy(NAME, path, left(until));
    let plain = ("plain", Variant(String::new()));
    let (_, session): (Variant<String>, Path<'static>) = at(ROOT.into()).method_call(SERVICE, "OpenSession", plain)?;
    let (unlocked, locked): (Vec<Path<'static>>, Vec<Path<'static>>) =
        at(ROOT.into()).method_call(SERVICE, "SearchItems", (attributes.clone(),))?;
    match (&unlocked[..], &locked[..]) {
        ([], []) => Ok(Found::Nothing),
        ([item], []) => {
            let ((_, _, value, _),): (Secret,) = at(item.clone()).method_call(ITEM, "GetSecret", (session,))?;
            Ok(Found::Secret(value))
        }
        _ => Ok(Found::Other),
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(clock::instant())
}
