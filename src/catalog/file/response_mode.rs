//! `response_mode`: how the provider returns its response.

use super::Table;
use crate::{catalog::Fault, oauth::ResponseMode};

impl Table {
    pub(super) fn response_mode(&self) -> Result<ResponseMode, Fault> {
        let Some(text) = &self.response_mode else { return Ok(ResponseMode::Query) };
        match text.get_ref().as_str() {
            "form_post" if self.relay.is_some() => {
                let what = "response_mode = \"form_post\" and relay contradict each other: a relay forwards no POST";
                Err(Fault::new(what, "remove one of them").at(text))
            }
            "form_post" => Ok(ResponseMode::FormPost),
            "query" => Ok(ResponseMode::Query),
            other => Err(unknown(other).at(text)),
        }
    }
}

/// `params` only sends it: the response would be rejected when it arrives.
pub(super) fn misplaced(value: &str) -> Fault {
    match value {
        "form_post" => {
            let what = "params: response_mode is a field of the integration, because the response must be expected";
            Fault::new(what, "remove it from params and write: response_mode = \"form_post\"")
        }
        "query" => Fault::new("params: response_mode is \"query\" by default", "remove it from params"),
        other => unknown(other),
    }
}

fn unknown(value: &str) -> Fault {
    let remedy = "write response_mode = \"form_post\", or leave it out";
    match value {
        "fragment" => Fault::new("response_mode: browsers send a fragment to no server", remedy),
        other => {
            let shown = other.escape_debug().take(80).collect::<String>();
            Fault::new(format!("response_mode: \"{shown}\" is not supported"), remedy)
        }
    }
}
