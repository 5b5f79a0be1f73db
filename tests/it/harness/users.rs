//! A token endpoint whose id_tokens name a user, and which returns no refresh token when a test says so.

use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Provider, RawServer, json_reply};

/// What the endpoint adds to its responses, and what it leaves out.
#[derive(Clone, Default)]
pub struct Manner {
    /// `sub`; without one there is no id_token.
    pub subject: &'static str,
    pub nonce: String,
    pub leaves_out: &'static [&'static str],
}

/// In front of a practice provider's own endpoint.
pub struct NamedUsers {
    manner: Arc<Mutex<Manner>>,
    server: RawServer,
}

impl NamedUsers {
    pub fn before(provider: &Provider) -> Self {
        let (manner, issuer) = (Arc::<Mutex<Manner>>::default(), provider.origin.clone());
        let seen = Arc::clone(&manner);
        let server = RawServer::before(provider, move |reply| {
            let manner = seen.lock().expect("manner").clone();
            let mut tokens: Value = serde_json::from_str(&reply.body).expect("tokens");
            if tokens.get("error").is_some() {
                return reply.written();
            }
            for name in manner.leaves_out {
                tokens.as_object_mut().expect("object").remove(*name);
            }
            if !manner.subject.is_empty() {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
                let claims = json!({
                    "iss": issuer, "aud": "practice-client", "sub": manner.subject, "nonce": manner.nonce,
                    "iat": now, "exp": now + 300,
                });
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                tokens["id_token"] = format!("{}.{}.AA", part(&json!({ "alg": "RS256" })), part(&claims)).into();
            }
            json_reply(&tokens.to_string())
        });
        Self { manner, server }
    }

    /// Of the responses from now on. A refresh brings no id_token if `manner` is the default.
    pub fn answer(&self, manner: Manner) {
        *self.manner.lock().expect("manner") = manner;
    }

    /// Changes a configuration so that its tokens come from here, and its logins ask for an id_token.
    pub fn configuration(&self, provider: &Provider) -> impl Fn(String) -> String + use<> {
        let other = self.server.as_token_endpoint_of(provider);
        move |config| {
            let config = other(config);
            config
                .replace("scopes = [\"base\"]", "scopes = [\"openid\"]")
                .replace("[\"read\"]\nstore", "[\"openid\"]\nstore")
        }
    }
}
