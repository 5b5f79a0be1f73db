//! Finding the metadata of an issuer: RFC 8414 section 3.1, then OpenID Connect Discovery section 4.1.

use oauth2::http::{self, StatusCode, header};

use super::{
    AuthorizationServer,
    document::{Document, Unusable},
};
use crate::{
    deadlines::FIRST_METADATA_ARRIVES,
    oauth::{
        AtMost, Endpoint, EndpointError, HttpClient, HttpError, HttpRequest, HttpResponse, Issuer, IssuerTemplate,
        RemoteText,
    },
};

/// Why discovery failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// An endpoint that a login needs is not a safe URL.
    #[error("{name} in the provider's metadata is not a safe URL: {why}")]
    Endpoint {
        name: &'static str,
        #[source]
        why: EndpointError,
    },
    /// No usable document, and what was found at each place instead.
    #[error("no usable metadata for {issuer}: {}", places(missed))]
    NotFound { issuer: Issuer, missed: Vec<Missed> },
    /// The document says that it belongs to another issuer (RFC 8414 section 3.3).
    #[error("the issuer in the provider's metadata is {found}, and {configured} is configured")]
    OtherIssuer { configured: Issuer, found: RemoteText },
    /// No place can be asked ([`HttpError::is_lasting`]).
    #[error("{0}")]
    Connection(#[source] HttpError),
}

/// One place, and what was there instead of metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missed {
    pub place: String,
    pub why: Miss,
}

/// What was at a well-known place instead of metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Miss {
    #[error("is not JSON")]
    NotJson,
    /// JSON that is no object, or one with a member that occurs twice.
    #[error("is not metadata")]
    NotMetadata,
    /// To another origin, or for the second time.
    #[error("answers {status} and leads to {to}")]
    Redirect { status: u16, to: RemoteText },
    #[error("answers {0}")]
    Status(u16),
    #[error("cannot be read ({0})")]
    Unreachable(#[source] HttpError),
    /// A document that lacks a member which every document has.
    #[error("has no {0}")]
    Without(&'static str),
}

impl Miss {
    /// Whether the same request may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Status(status) => *status == 429 || *status >= 500,
            Self::Unreachable(_) => true,
            Self::NotJson | Self::NotMetadata | Self::Redirect { .. } | Self::Without(_) => false,
        }
    }
}

impl DiscoveryError {
    /// Whether the same search may succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::NotFound { missed, .. } if missed.iter().any(|missed| missed.why.is_passing()))
    }
}

fn places(missed: &[Missed]) -> String {
    missed.iter().map(|Missed { place, why }| format!("{place} {why}")).collect::<Vec<_>>().join("; ")
}

/// Asks at one well-known place after the other; what fails at one does not keep the next from being asked.
///
/// # Errors
/// No document, or one that must not be believed.
pub fn discover(issuer: &Issuer, http: &dyn HttpClient) -> Result<AuthorizationServer, DiscoveryError> {
    discover_tenants(issuer, None, http)
}

/// The same at a server whose documents may name their issuer by this template, since it has one for each tenant.
///
/// # Errors
/// As [`discover`].
pub fn discover_tenants(
    issuer: &Issuer,
    template: Option<&IssuerTemplate>,
    http: &dyn HttpClient,
) -> Result<AuthorizationServer, DiscoveryError> {
    let mut missed = Vec::new();
    for (number, place) in well_known(issuer).into_iter().enumerate() {
        // All requests share one deadline: a place that never answers leaves time for the next.
        let limit = (number == 0).then_some(AtMost(FIRST_METADATA_ARRIVES));
        let why = match document(&place, limit, http) {
            Ok(document) => match document.server(issuer, template) {
                Ok(server) => return Ok(server),
                Err(Unusable::Incomplete(why)) => why,
                Err(Unusable::Untrusted(why)) => return Err(why),
            },
            Err(Miss::Unreachable(why)) if why.is_lasting() => return Err(DiscoveryError::Connection(why)),
            Err(why) => why,
        };
        missed.push(Missed { place, why });
    }
    Err(DiscoveryError::NotFound { issuer: issuer.clone(), missed })
}

fn document(place: &str, limit: Option<AtMost>, http: &dyn HttpClient) -> Result<Document, Miss> {
    let mut response = get(place, limit, http)?;
    if response.status().is_redirection() {
        let to = redirected(place, &response)?;
        response = get(&to, limit, http)?;
    }
    match response.status() {
        status if status.is_redirection() => Err(redirect(status, &response)),
        // A site that answers every path with a page and 200 has no metadata either.
        status if status.is_success() => Document::parse(response.body()),
        status => Err(Miss::Status(status.as_u16())),
    }
}

fn get(place: &str, limit: Option<AtMost>, http: &dyn HttpClient) -> Result<HttpResponse, Miss> {
    let mut request: HttpRequest = http::Request::get(place)
        .header(header::ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|_| Miss::Unreachable(HttpError::Connect("not an address".into())))?;
    if let Some(limit) = limit {
        request.extensions_mut().insert(limit);
    }
    http.send(request).map_err(Miss::Unreachable)
}

/// A redirect is followed once, and within its origin only: the server may know its document by another path, but no
/// other server speaks for it.
fn redirected(place: &str, response: &HttpResponse) -> Result<String, Miss> {
    let refused = || redirect(response.status(), response);
    let from = Endpoint::parse(place).map_err(|_| refused())?;
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let to = location.and_then(|location| from.url().join(location).ok()).ok_or_else(refused)?;
    let to = Endpoint::parse(to.as_str()).map_err(|_| refused())?;
    if to.has_origin_of(&from) { Ok(to.as_str().to_owned()) } else { Err(refused()) }
}

fn redirect(status: StatusCode, response: &HttpResponse) -> Miss {
    let location = response.headers().get(header::LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()));
    Miss::Redirect { status: status.as_u16(), to: RemoteText::new(location.as_deref().unwrap_or("nowhere")) }
}

fn well_known(issuer: &Issuer) -> [String; 2] {
    let text = issuer.as_str();
    let authority_end = text.find("://").map_or(0, |at| at + 3);
    let path_at = text[authority_end..].find('/').map_or(text.len(), |at| authority_end + at);
    let (origin, path) = text.split_at(path_at);
    let path = path.strip_suffix('/').unwrap_or(path);
    [
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
        format!("{origin}{path}/.well-known/openid-configuration"),
    ]
}
