//! The device authorization response (RFC 8628 section 3.2), as providers really send it: `verification_url` instead of
//! `verification_uri` (Google), numbers as texts (Microsoft's first version), no `interval`, a form instead of JSON (GitHub).

use std::{fmt, time::Duration};

use serde_json::Value;

use super::DeviceError;
use crate::{
    oauth::{
        ErrorResponse, HttpResponse, NotOAuth, PageUrl,
        error_response::{OwnSecrets, retry_after},
        json_object::Members,
        normalise::{Fields, Form, expires_in, interval, members},
        printable,
    },
    secret::Secret,
};

/// Where the response names no interval (RFC 8628 section 3.2).
const USUAL_INTERVAL: Duration = Duration::from_secs(5);
/// No provider is asked more often than this, whatever it allows.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);
/// Longest code that a user is asked to type, in characters. RFC 8628 section 6.1 recommends 8.
const LONGEST_CODE: usize = 32;

/// What a user needs to approve the login, and how long there is for it. The device code itself is in
/// [`DeviceFlow`](super::DeviceFlow).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAuthorization {
    pub user_code: UserCode,
    /// Where it is entered.
    pub verification_uri: PageUrl,
    /// The same page with the code in it, at the same origin.
    pub verification_uri_complete: Option<PageUrl>,
    /// How long the codes are valid, if the provider said so.
    pub life: Option<Duration>,
    /// The shortest time between two polls.
    pub interval: Duration,
}

/// The code that a user enters: short and printable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        let fits = (1..=LONGEST_CODE).contains(&text.chars().count());
        (fits && text.chars().all(printable)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is shown, and the device code.
pub(super) fn read(
    response: &HttpResponse,
    secrets: &OwnSecrets,
) -> Result<(DeviceAuthorization, Secret), DeviceError> {
    let status = response.status().as_u16();
    let not_oauth =
        || DeviceError::NotOAuth(NotOAuth { status, bytes: response.body().len(), retry_after: retry_after(response) });
    if (300..400).contains(&status) {
        return Err(not_oauth());
    }
    let (Members { fields, twice }, form) = members(response).ok_or_else(not_oauth)?;
    if !twice.is_empty() {
        return Err(not_oauth());
    }
    let unnamed = || (form == Form::Json).then(|| ErrorResponse::unnamed(response, &fields, secrets)).flatten();
    if let Some(error) = ErrorResponse::read(response, &fields, secrets).or_else(unnamed) {
        return Err(DeviceError::Denied(error));
    }
    if !(200..300).contains(&status) {
        return Err(not_oauth());
    }
    of_fields(&fields)
}

fn of_fields(fields: &Fields) -> Result<(DeviceAuthorization, Secret), DeviceError> {
    let text = |name: &'static str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let device_code = text("device_code").filter(|code| code.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
    let device_code = device_code.ok_or(DeviceError::Incomplete("device_code"))?;
    let user_code = text("user_code").and_then(UserCode::parse).ok_or(DeviceError::Incomplete("user_code"))?;
    let page = text("verification_uri").or_else(|| text("verification_url"));
    let page = page.ok_or(DeviceError::Incomplete("verification_uri"))?;
    let verification_uri = PageUrl::parse(page).map_err(DeviceError::UnsafePage)?;
    // A shortcut that leads elsewhere than the page that is printed is not offered.
    let complete = text("verification_uri_complete").and_then(|text| PageUrl::parse(text).ok());
    let verification_uri_complete = complete.filter(|complete| complete.has_origin_of(&verification_uri));
    let authorization = DeviceAuthorization {
        user_code,
        verification_uri,
        verification_uri_complete,
        life: fields.get("expires_in").and_then(expires_in).filter(|seconds| *seconds > 0).map(Duration::from_secs),
        interval: fields.get("interval").and_then(interval).unwrap_or(USUAL_INTERVAL).max(SHORTEST_INTERVAL),
    };
    Ok((authorization, Secret::new(device_code.to_owned())))
}
