//! `POST /:group/token`: a valid access token. The refresh token is never returned.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{
    authorize::on_behalf,
    parsed_request::ParsedRequest,
    request::{Answer, Cookie, Service},
    sealed_store::SealedStoreFault,
};
use crate::{
    catalog::Integration,
    deadlines::LONGEST_DELAY,
    oauth::{MetadataValue, Scope, Scopes},
    reply::Reply,
    service::{
        problem::Problem,
        refresh_plan::{Issued, Origin, TokenAnswer, TokenRequest, TokenSource},
        scopes,
        store::Refreshable,
    },
    system::clock,
    timestamp::rfc3339,
    vault::GrantKey,
};

/// How long a token stays valid at least, unless the caller sets it, in seconds.
const USUAL_VALIDITY: u64 = 60;
/// The largest `min_validity` in seconds, longer than any provider's tokens.
const LONGEST_VALIDITY: u64 = 24 * 3600;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    action: String,
    /// In seconds.
    min_validity: Option<u64>,
    #[serde(default)]
    force_refresh: bool,
    user_id: Option<String>,
    org_key: Option<String>,
}

impl Service {
    pub(super) async fn token(&self, integration: &Integration, request: &ParsedRequest) -> Answer {
        let (caller, _) = self.caller(request, None, Cookie::Ignored).await?;
        let body: Body = request.json()?;
        let owner = on_behalf(caller, body.user_id, body.org_key)?;
        let action = scopes::action(integration, &body.action).map_err(|_| Problem::UnknownAction)?;
        let key = GrantKey { owner, integration: integration.name.clone(), action };
        self.limits.token_read(&key, clock::now())?;
        let seconds = body.min_validity.unwrap_or(USUAL_VALIDITY).min(LONGEST_VALIDITY);
        let source = if body.force_refresh { TokenSource::Provider } else { TokenSource::Stored };
        if source == TokenSource::Provider {
            self.limits.forced_refresh(&key, clock::now())?;
        }
        let wanted = TokenRequest { min_validity: Duration::from_secs(seconds), source };
        match self.refresher.token(&key, wanted).await? {
            TokenAnswer::Ok(issued) => handed_out(&issued),
            TokenAnswer::Gone => Err(Problem::ConnectionDeleted),
            TokenAnswer::InsufficientScope { missing, .. } => {
                Err(Problem::InsufficientScope { missing: words(&missing) })
            }
            TokenAnswer::Misconfigured { .. } => Err(Problem::IntegrationMisconfigured),
            TokenAnswer::NotConnected => Err(Problem::NotConnected),
            TokenAnswer::ReauthRequired { reason, since, .. } => {
                Err(Problem::ReauthRequired { reason: reason.as_str(), since: rfc3339(since) })
            }
            TokenAnswer::Unavailable { retry_after } => {
                let seconds = retry_after.as_secs().clamp(1, LONGEST_DELAY.as_secs());
                Err(Problem::ProviderUnavailable { retry_after: seconds })
            }
        }
    }
}

/// The response; the names are part of the API.
#[derive(Serialize)]
struct HandedOut<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_at: Option<String>,
    /// In seconds.
    expires_in: Option<u64>,
    scopes: Vec<&'a str>,
    missing: Vec<&'a str>,
    metadata: &'a BTreeMap<String, MetadataValue>,
    account: Option<&'a str>,
    base_url: Option<&'a str>,
    connection: String,
    refreshable: bool,
    refreshed: bool,
}

fn handed_out(issued: &Issued) -> Answer {
    let left = |at: SystemTime| at.duration_since(clock::now()).unwrap_or_default().as_secs();
    let body = HandedOut {
        access_token: issued.access_token.expose(),
        token_type: issued.token_type.as_str(),
        expires_at: issued.expires_at.map(rfc3339),
        expires_in: issued.expires_at.map(left),
        scopes: issued.granted.iter().map(Scope::as_str).collect(),
        missing: issued.missing.iter().map(Scope::as_str).collect(),
        metadata: issued.metadata.values(),
        account: issued.account.as_deref(),
        base_url: issued.base_url.as_deref(),
        connection: issued.connection.to_string(),
        refreshable: issued.refreshable == Refreshable::Yes,
        refreshed: issued.origin == Origin::Refreshed,
    };
    serde_json::to_vec(&body).map(|body| Reply::json(200, body)).map_err(|_| Problem::Unavailable)
}

pub fn words(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(|scope| scope.as_str().to_owned()).collect()
}

impl From<SealedStoreFault> for Problem {
    fn from(fault: SealedStoreFault) -> Self {
        match fault {
            SealedStoreFault::Sealed(_) => Self::Unreadable,
            SealedStoreFault::Entropy(_) | SealedStoreFault::Store(_) => Self::Unavailable,
        }
    }
}
