//! What the program says: results, errors and what happens meanwhile, each as one line.

use std::time::Duration;

use serde_json::{Value, json};

use super::message::Id;

/// Why a request is not fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `error.code`
    code: i64,
    /// `error.data.code`: the word of the exit code.
    word: &'static str,
    message: String,
    /// A command or a line that repairs it.
    remedy: Option<String>,
}

/// Errors of JSON-RPC itself (JSON-RPC 2.0, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    InvalidParams,
    InvalidRequest,
    MethodNotFound,
    ParseError,
}

impl Fault {
    /// What a command failed with; `word` and `exit` are those of its exit code.
    pub fn of_command(word: &'static str, exit: u8, message: String, remedy: Option<String>) -> Self {
        Self { code: -32000 - i64::from(exit), word, message, remedy }
    }

    pub fn of_protocol(protocol: Protocol, message: &str) -> Self {
        let code = match protocol {
            Protocol::InvalidParams => -32602,
            Protocol::InvalidRequest => -32600,
            Protocol::MethodNotFound => -32601,
            Protocol::ParseError => -32700,
        };
        Self { code, word: "usage", message: message.to_owned(), remedy: None }
    }
}

/// What happens in a login while its request is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginEvent {
    /// The code arrived.
    Code,
    /// To be shown: the user enters the code on the page, on any device.
    Device {
        user_code: String,
        verification_uri: String,
        verification_uri_complete: Option<String>,
        /// When the login ends if nobody has; RFC 3339.
        expires_at: String,
    },
    /// The tokens are stored and read back; the result follows.
    Done,
    /// The code is sent to the token endpoint; from here nothing cancels the login.
    Exchanging,
    /// What was handed over is not the answer; in words.
    NotTheAnswer(String),
    /// In words for a person: no browser was found, the provider gave no refresh token, ...
    Note(String),
    /// A request at the redirect that is not the answer; in words. At most three are told.
    Stray(String),
    /// To be opened in a browser.
    Url(String),
    /// Once a second or less.
    Waiting { left: Duration, on: WaitsFor },
}

/// What a login waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// Another program's login to the same grant.
    Login,
    Person,
}

/// The line of a result.
pub fn succeeded(id: &Id, result: &Value) -> String {
    line(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// The line of an error; without an id when the request's own could not be told.
pub fn failed(id: Option<&Id>, fault: &Fault) -> String {
    let Fault { code, word, message, remedy } = fault;
    let data = json!({ "code": word, "remedy": remedy });
    line(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message, "data": data } }))
}

/// The line of a notification; `id` is that of the login's request.
pub fn note(id: &Id, event: &LoginEvent) -> String {
    let (name, mut params) = match event {
        LoginEvent::Code => ("code", json!({})),
        LoginEvent::Device { user_code, verification_uri, verification_uri_complete, expires_at } => (
            "device",
            json!({
                "user_code": user_code, "verification_uri": verification_uri,
                "verification_uri_complete": verification_uri_complete, "expires_at": expires_at,
            }),
        ),
        LoginEvent::Done => ("done", json!({})),
        LoginEvent::Exchanging => ("exchanging", json!({})),
        LoginEvent::NotTheAnswer(why) => ("not_the_answer", json!({ "reason": why })),
        LoginEvent::Note(text) => ("note", json!({ "message": text })),
        LoginEvent::Stray(why) => ("stray", json!({ "reason": why })),
        LoginEvent::Url(url) => ("url", json!({ "url": url })),
        LoginEvent::Waiting { left, on } => {
            let on = match on {
                WaitsFor::Login => "login",
                WaitsFor::Person => "person",
            };
            ("waiting", json!({ "on": on, "seconds_left": left.as_secs() }))
        }
    };
    params["id"] = json!(id);
    line(&json!({ "jsonrpc": "2.0", "method": format!("login/{name}"), "params": params }))
}

fn line(message: &Value) -> String {
    format!("{message}\n")
}
