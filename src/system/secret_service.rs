//! Reads or replaces one item of the Secret Service with three calls on a connection of its own.
//!
//! gnome-keyring registers a client at its first call, and with many clients sometimes after it. Then it rejects the
//! call as unknown. At an OpenSession call it aborts instead, for all clients (Debian bug 1147303), and also when the
//! client of an OpenSession has disconnected. Hundreds of processes may read at once here, so the search is the first
//! call and is repeated; a session is opened only if the search was answered within half of the time; and a client
//! waits by turns. The library opens the session first, and disconnects after 2 s.
#![deny(clippy::let_underscore_must_use)]

use std::collections::HashMap;

use dbus::{
    Error, Message, Path,
    arg::{AppendAll, ReadAll, Variant},
    channel::{BusType, Channel},
};

use super::patience::{Patience, TURN};
use crate::deadlines::SECRET_SERVICE_CALLS;

const NAME: &str = "org.freedesktop.secrets";
const ROOT: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const ITEM: &str = "org.freedesktop.Secret.Item";
const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";

pub enum Found {
    Nothing,
    Secret(Vec<u8>),
    /// Locked, or several items: reading alone does not help.
    Other,
}

pub enum Replaced {
    Done,
    /// Absent, locked or several items: there is nothing to replace.
    Other,
}

/// Session, parameters, value, content type: a Secret of the Secret Service API.
type Secret = (Path<'static>, Vec<u8>, Vec<u8>, String);

/// Reads the item with these attributes. Secrets cross the bus unencrypted.
///
/// # Errors
/// D-Bus errors with their names.
pub fn read(attributes: &HashMap<&str, &str>) -> Result<Found, Error> {
    let mut service = Service::connect()?;
    match &service.search(attributes)?[..] {
        [] => Ok(Found::Nothing),
        [Item::Unlocked(item)] => {
            let session = service.open_session()?;
            let ((_, _, value, _),): (Secret,) = service.call(item, ITEM, "GetSecret", (session,))?;
            Ok(Found::Secret(value))
        }
        _ => Ok(Found::Other),
    }
}

/// Replaces the secret of the item with these attributes.
///
/// # Errors
/// D-Bus errors with their names.
pub fn replace(attributes: &HashMap<&str, &str>, value: &[u8]) -> Result<Replaced, Error> {
    let mut service = Service::connect()?;
    match &service.search(attributes)?[..] {
        [Item::Unlocked(item)] => {
            let secret: Secret = (service.open_session()?, Vec::new(), value.to_vec(), "text/plain".into());
            let (): () = service.call(item, ITEM, "SetSecret", (secret,))?;
            Ok(Replaced::Done)
        }
        _ => Ok(Replaced::Other),
    }
}

struct Service {
    channel: Channel,
    patience: Patience,
}

enum Item {
    Unlocked(Path<'static>),
    Locked,
}

impl Service {
    fn connect() -> Result<Self, Error> {
        Ok(Self { channel: Channel::get_private(BusType::Session)?, patience: Patience::of(SECRET_SERVICE_CALLS) })
    }

    fn search(&mut self, attributes: &HashMap<&str, &str>) -> Result<Vec<Item>, Error> {
        let mut search = || self.call(&ROOT.into(), SERVICE, "SearchItems", (attributes.clone(),));
        let found: Result<(Vec<Path<'static>>, Vec<Path<'static>>), Error> = match search() {
            Err(refused) if refused.name() == Some(UNKNOWN_METHOD) => search(),
            found => found,
        };
        let (unlocked, locked) = found?;
        Ok(unlocked.into_iter().map(Item::Unlocked).chain(locked.into_iter().map(|_| Item::Locked)).collect())
    }

    fn open_session(&mut self) -> Result<Path<'static>, Error> {
        if self.patience.left() < SECRET_SERVICE_CALLS / 2 {
            return Err(no_reply());
        }
        let plain = ("plain", Variant(String::new()));
        let (_, session): (Variant<String>, Path<'static>) = self.call(&ROOT.into(), SERVICE, "OpenSession", plain)?;
        Ok(session)
    }

    fn call<A: AppendAll, R: ReadAll>(
        &mut self,
        path: &Path<'static>,
        interface: &str,
        method: &str,
        arguments: A,
    ) -> Result<R, Error> {
        let call = Message::call_with_args(NAME, path, interface, method, arguments);
        let serial = self.channel.send(call).map_err(|()| Error::new_failed("the message cannot be sent"))?;
        loop {
            match self.channel.blocking_pop_message(TURN)? {
                Some(mut message) if message.get_reply_serial() == Some(serial) => {
                    return message.as_result()?.read_all();
                }
                Some(_) => {}
                None if self.patience.spend() => {}
                None => return Err(no_reply()),
            }
        }
    }
}

fn no_reply() -> Error {
    Error::new_custom("org.freedesktop.DBus.Error.NoReply", "the Secret Service does not answer")
}
