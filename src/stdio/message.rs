//! What a client may say: the envelope of JSON-RPC 2.0, the methods and their parameters. Unknown fields are ignored.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

use super::reply::{Fault, Protocol};
use crate::{oauth::RemoteText, secret::Secret};

/// Longest text of a request in bytes.
const LONGEST_TEXT: usize = 4096;
/// Longest address of a response in bytes. What is too long for a response is refused by the login, with its reason.
const LONGEST_ADDRESS: usize = 128 * 1024;
/// Longest id in bytes.
const LONGEST_ID: usize = 128;
/// Most scopes, or further parameters, of one login.
const MOST: usize = 64;

/// What a reply is matched by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(untagged)]
pub enum Id {
    Integer(i64),
    Text(String),
}

/// One message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Without one it is a notification, which is never answered.
    pub id: Option<Id>,
    pub call: Call,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Answer(Answer),
    Cancel(Cancel),
    Initialize(Initialize),
    Login(Login),
    Logout(Logout),
    Shutdown,
    Status(Status),
    Token(Token),
}

/// Must come first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Initialize {
    /// Version of the messages that the client speaks.
    pub protocol: u64,
}

/// Signs in, unless somebody else's login to the same grant ends first and serves this one too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Login {
    /// May be left out where there is exactly one.
    #[serde(default, deserialize_with = "text")]
    pub integration: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub account: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub action: Option<String>,
    /// Asked for besides those of the configuration.
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    pub prompt: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub login_hint: Option<String>,
    /// Further parameters of the authorization request.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// In seconds.
    pub timeout: Option<u64>,
    #[serde(default)]
    pub open: Opening,
    #[serde(default)]
    pub how: How,
}

/// How the user's answer comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum How {
    /// A browser brings it to this machine.
    #[default]
    Auto,
    /// The user enters a code on another device.
    Device,
}

/// Who opens the URL in a browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Opening {
    /// The client, which is told the URL in any case.
    Client,
    #[default]
    Loopin,
}

/// Ends a login that still waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Cancel {
    /// Of the login's request.
    pub id: Id,
}

/// Brings a login the address at which the browser ended, where it does not reach the listener: the browser is on another
/// machine, or the client received the redirect itself. It is judged as a request at the listener is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    /// Of the login's request, whose URL was opened.
    pub id: Id,
    #[serde(deserialize_with = "address")]
    pub address: Secret,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Token {
    #[serde(default, deserialize_with = "text")]
    pub integration: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub account: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub action: Option<String>,
    /// In seconds.
    pub min_ttl: Option<u64>,
    /// The first digits of the SHA-256 of a token that was refused.
    #[serde(default, deserialize_with = "text")]
    pub rejected: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Status {
    #[serde(default, deserialize_with = "text")]
    pub integration: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Logout {
    pub integration: String,
    #[serde(default, deserialize_with = "text")]
    pub account: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub action: Option<String>,
    /// Only forget the tokens here.
    #[serde(default)]
    pub local: bool,
}

/// What is wrong with a line, and in whose answer that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub id: Option<Id>,
    pub fault: Fault,
}

/// Every field as it came, so that each is judged by itself.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
}

/// Reads one line.
///
/// # Errors
/// It is no JSON (-32700), no request (-32600), of an unknown method (-32601), or its parameters are wrong (-32602).
pub fn parse(line: &[u8]) -> Result<Request, Malformed> {
    let unreadable = |what| Malformed { id: None, fault: Fault::of_protocol(Protocol::ParseError, what) };
    let line = std::str::from_utf8(line).map_err(|_| unreadable("the line is not UTF-8"))?;
    let invalid = |id: Option<&Id>, what| Malformed {
        id: id.cloned(),
        fault: Fault::of_protocol(Protocol::InvalidRequest, what),
    };
    // An array would be read as the fields in their order.
    let is_object = line.trim_start().starts_with('{');
    let envelope: Envelope<'_> = match serde_json::from_str(line) {
        Ok(envelope) if is_object => envelope,
        Err(error) if !error.is_data() => return Err(unreadable("the line is not JSON")),
        _ => return Err(invalid(None, "a message is one object with each field once; there are no batches")),
    };
    let id = match envelope.id.map(|raw| serde_json::from_str(raw.get())) {
        None => None,
        Some(Ok(id)) if fits(&id) => Some(id),
        Some(_) => return Err(invalid(None, "an id is a whole number or a text of at most 128 bytes")),
    };
    let text = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    if text(envelope.jsonrpc).as_deref() != Some("2.0") {
        return Err(invalid(id.as_ref(), "jsonrpc is not \"2.0\""));
    }
    let Some(method) = text(envelope.method) else {
        return Err(invalid(id.as_ref(), "there is no method"));
    };
    match call(&method, envelope.params) {
        Ok(call) => Ok(Request { id, call }),
        Err(fault) => Err(Malformed { id, fault }),
    }
}

fn call(method: &str, params: Option<&RawValue>) -> Result<Call, Fault> {
    let params = params.map_or("{}", RawValue::get);
    Ok(match method {
        "cancel" => Call::Cancel(read(params)?),
        "initialize" => Call::Initialize(read(params)?),
        "login" => {
            let login: Login = read(params)?;
            let texts = login.params.iter().flat_map(|(name, value)| [name, value]).chain(&login.scopes);
            let most = login.params.len().max(login.scopes.len());
            if most > MOST || texts.into_iter().any(|text| text.len() > LONGEST_TEXT) {
                return Err(Fault::of_protocol(Protocol::InvalidParams, "params: too many scopes, or one too long"));
            }
            Call::Login(login)
        }
        "login/answer" => Call::Answer(read(params)?),
        "logout" => Call::Logout(read(params)?),
        "shutdown" => Call::Shutdown,
        "status" => Call::Status(read(params)?),
        "token" => Call::Token(read(params)?),
        unknown => {
            let shown: String = unknown.chars().take(LONGEST_ID).collect();
            let what = format!("there is no method \"{}\"", RemoteText::new(&shown));
            return Err(Fault::of_protocol(Protocol::MethodNotFound, &what));
        }
    })
}

fn read<'a, P: Deserialize<'a>>(params: &'a str) -> Result<P, Fault> {
    let invalid = |what: &str| Fault::of_protocol(Protocol::InvalidParams, &format!("params: {what}"));
    if !params.starts_with('{') {
        return Err(invalid("not an object"));
    }
    // The reader's own words quote what it found, which may be a secret in the wrong place.
    serde_json::from_str(params).map_err(|_| invalid("a field is missing, twice there, too long or of a wrong type"))
}

fn fits(id: &Id) -> bool {
    match id {
        Id::Integer(_) => true,
        Id::Text(text) => text.len() <= LONGEST_ID,
    }
}

/// Tells `null` from a field that is not there.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(field: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(field).map(Some)
}

fn address<'de, D: Deserializer<'de>>(field: D) -> Result<Secret, D::Error> {
    match String::deserialize(field)? {
        long if long.len() > LONGEST_ADDRESS => Err(D::Error::custom("too long")),
        address => Ok(Secret::new(address)),
    }
}

fn text<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(field)?;
    match &text {
        Some(long) if long.len() > LONGEST_TEXT => Err(D::Error::custom("too long")),
        _ => Ok(text),
    }
}
