//! A form that a client sends to an endpoint of its provider, with its own authentication.

use base64::{Engine, engine::general_purpose::STANDARD};
use oauth2::http::{self, header};
use url::form_urlencoded;

use super::{AuthenticationMethod, Client, ClientAuthentication, Endpoint, HttpError, HttpRequest};
use crate::secret::Secret;

/// The fields, then what proves the client: Basic, both in the body, or the identifier alone (RFC 6749 section 2.3.1).
///
/// # Errors
/// The request cannot be written, so nothing was sent.
pub(super) fn client_request<'a>(
    endpoint: &Endpoint,
    client: &Client,
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<HttpRequest, HttpError> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let mut request = http::Request::post(endpoint.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &client.authentication {
        ClientAuthentication::Secret { secret, method: AuthenticationMethod::Basic } => {
            request = request.header(header::AUTHORIZATION, basic(client.id.as_str(), secret));
        }
        ClientAuthentication::Secret { secret, method: AuthenticationMethod::Post } => {
            body.append_pair("client_id", client.id.as_str()).append_pair("client_secret", secret.expose());
        }
        ClientAuthentication::None => {
            body.append_pair("client_id", client.id.as_str());
        }
    }
    request.body(body.finish().into_bytes()).map_err(|_| HttpError::Connect("the request cannot be written".into()))
}

/// Identifier and secret are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn basic(id: &str, secret: &Secret) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose()))))
}
