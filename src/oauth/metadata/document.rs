//! The metadata document (RFC 8414 section 2, OpenID Connect Discovery section 3), as servers really publish it: some begin
//! with a byte order mark, and some write `null`, `""` or a value of another type where a field is absent. Such a value
//! costs its own field only. The issuer and the two endpoints that a login needs are read strictly.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{AuthorizationServer, IdTokenAlgorithms, IssParameter, S256};
use crate::oauth::{AuthenticationMethods, DiscoveryError, Endpoint, Issuer, IssuerTemplate, Miss, RemoteText};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A member that occurs twice is an error: two readers could see two different documents.
#[derive(Deserialize)]
pub(super) struct Document {
    #[serde(default, deserialize_with = "text")]
    issuer: Option<String>,
    #[serde(default, deserialize_with = "text")]
    authorization_endpoint: Option<String>,
    #[serde(default, deserialize_with = "text")]
    token_endpoint: Option<String>,
    #[serde(default, deserialize_with = "text")]
    revocation_endpoint: Option<String>,
    #[serde(default, deserialize_with = "text")]
    device_authorization_endpoint: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default, deserialize_with = "texts")]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default, deserialize_with = "texts")]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default, deserialize_with = "promise")]
    authorization_response_iss_parameter_supported: IssParameter,
}

/// Why a document gives no authorization server.
pub(super) enum Unusable {
    /// The next place may have a better one.
    Incomplete(Miss),
    /// It belongs to another issuer, or an endpoint that a login needs is unsafe. That ends the search: nothing else
    /// that this server publishes can be trusted more.
    Untrusted(DiscoveryError),
}

impl Document {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Miss> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        serde_json::from_slice(body).map_err(|error| if error.is_data() { Miss::NotMetadata } else { Miss::NotJson })
    }

    /// # Errors
    /// [`Unusable`].
    pub(super) fn server(
        self,
        issuer: &Issuer,
        template: Option<&IssuerTemplate>,
    ) -> Result<AuthorizationServer, Unusable> {
        let named = self.issuer.ok_or(Unusable::Incomplete(Miss::Without("issuer")))?;
        let template = template.filter(|template| template.to_string() == named);
        if named != issuer.as_str() && template.is_none() {
            let found = RemoteText::new(&named);
            return Err(Unusable::Untrusted(DiscoveryError::OtherIssuer { configured: issuer.clone(), found }));
        }
        let endpoint = |name: &'static str, text: Option<String>| {
            let text = text.ok_or(Unusable::Incomplete(Miss::Without(name)))?;
            Endpoint::parse(&text).map_err(|why| Unusable::Untrusted(DiscoveryError::Endpoint { name, why }))
        };
        let lists_s256 = self.code_challenge_methods_supported.iter().any(|method| method == "S256");
        Ok(AuthorizationServer {
            issuer: template.is_none().then(|| issuer.clone()),
            issuer_template: template.cloned(),
            authorization_endpoint: endpoint("authorization_endpoint", self.authorization_endpoint)?,
            token_endpoint: endpoint("token_endpoint", self.token_endpoint)?,
            // Without one, logout says that the token was not revoked.
            revocation_endpoint: self.revocation_endpoint.and_then(|text| Endpoint::parse(&text).ok()),
            // Without one, a login by device code says that the provider offers none.
            device_authorization_endpoint: self
                .device_authorization_endpoint
                .and_then(|text| Endpoint::parse(&text).ok()),
            iss_parameter: self.authorization_response_iss_parameter_supported,
            s256: if lists_s256 { S256::Promised } else { S256::NotPromised },
            id_token_algorithms: IdTokenAlgorithms::new(self.id_token_signing_alg_values_supported),
            authentication_methods: AuthenticationMethods::new(self.token_endpoint_auth_methods_supported),
        })
    }
}

fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    })
}

/// One name may stand there without a list around it.
fn texts<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => vec![text],
        Value::Array(values) => values.into_iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    })
}

fn promise<'de, D: Deserializer<'de>>(value: D) -> Result<IssParameter, D::Error> {
    let promised = match Value::deserialize(value)? {
        Value::Bool(promised) => promised,
        Value::String(text) => text == "true",
        _ => false,
    };
    Ok(promised.into())
}
