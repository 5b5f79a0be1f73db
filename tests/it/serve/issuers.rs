//! Issuers that publish their keys.

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};

use super::*;
use crate::harness::{RawServer, wait_for};

struct Issuer {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    fn new() -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        Self { key: EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("a key"), random }
    }

    fn jwks(&self) -> String {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let key = json!({"kty": "EC", "crv": "P-256", "kid": "e1", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)});
        json!({ "keys": [key] }).to_string()
    }

    fn token(&self, user: &str) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(br#"{"alg":"ES256","kid":"e1"}"#),
            URL_SAFE_NO_PAD.encode(claims(user, "acme").to_string())
        );
        let signature = self.key.sign(&self.random, signed.as_bytes()).expect("signed");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The keys of the one issuer are where `server` answers.
fn published(config: &str, server: &RawServer) -> String {
    config.replace("hs256 = { file = \"{dir}/hs256\" }", &format!("jwks_url = \"{}/jwks\"", server.origin))
}

#[test]
fn v06_a_token_counts_if_a_published_key_has_signed_it() {
    let (issuer, stranger) = (Issuer::new(), Issuer::new());
    let server = RawServer::json(200, issuer.jwks());
    let serving = Serving::with(Provider::new(), |config| published(&config, &server));
    let ask = |token: &str| code(&serving.post("/wiki/token", token, json!({"action": "read"})));
    eventually("the keys are there", || ask(&issuer.token("ada")) != "issuer_unavailable");
    for _ in 0..2 {
        assert_eq!("not_connected", ask(&issuer.token("ada")), "ada is known, and has no connection");
        assert_eq!("unauthenticated", ask(&stranger.token("ada")));
        assert_eq!("unauthenticated", ask(&token_of("ada", "acme")), "nobody shares a secret with this issuer");
    }
}

#[test]
fn keys_that_do_not_come_are_told_to_the_operator() {
    let server = RawServer::json(503, "");
    let serving = Serving::with(Provider::new(), |config| published(&config, &server));
    let why = "the keys of https://id.example.com do not come: HTTP status 503";
    wait_for(&serving.said, why);
    assert_eq!(503, serving.admin("/readyz").status);
    let reply = serving.post("/wiki/token", &Issuer::new().token("ada"), json!({"action": "read"}));
    assert_eq!((503, "issuer_unavailable".into()), (reply.status, code(&reply)), "whether it is ada cannot be told");
    assert!(reply.field("retry-after").is_some(), "{reply:?}");
    let config = serving.sandbox.path("loopin.toml");
    let checked = serving.sandbox.run(&["serve", "check", "--config", config.to_str().expect("path")]);
    checked.assert_code(0);
    assert!(checked.stdout.contains("The keys of https://id.example.com do not come: HTTP status 503"), "{checked:?}");
}
