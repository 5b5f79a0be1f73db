//! V06, V07, V08 and V10: which tokens are taken, and for whom.

mod algorithms;
mod claims;
mod keys;
mod organizations;
mod verified_tokens;

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaEncoding, RsaKeyPair,
    },
};
use serde_json::{Value, json};

use super::*;
use crate::{catalog::SecretSource, secret::Secret};

/// The time of every test, in seconds since the epoch.
const NOW: u64 = 1_800_000_000;

const SHARED: &str = "a shared secret of more than thirty-two bytes";

const CONFIGURED: &str = r#"
[[jwt]]
issuer = "https://id.example"
audience = "loopin"
jwks_url = "https://id.example/jwks"
org = "org_id"
orgs = "orgs"
org_header = "X-Active-Org"
service_scope = "loopin:service"

[[jwt]]
issuer = "https://es.example"
audience = "loopin"
namespace = "es"
jwks_url = "https://es.example/jwks"
algs = ["ES256"]
org = "org_id"

[[jwt]]
issuer = "https://hs.example"
audience = "loopin"
namespace = "hs"
hs256 = { env = "JWT_SECRET" }
org = "org_id"
"#;

/// The keys of the issuers.
struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    /// Nobody has published this one.
    stranger: EcdsaKeyPair,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let ec = || {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("key");
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).expect("key")
    };
    let ed = Ed25519KeyPair::generate_pkcs8(&random).expect("key");
    Keys {
        rsa: RsaKeyPair::from_pkcs8(include_bytes!("../../../tests/data/jwt/rsa-2048.pk8")).expect("key"),
        ec: ec(),
        ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).expect("key"),
        stranger: ec(),
    }
});

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa_jwk(kid: &str) -> Value {
    let public: PublicKeyComponents<Vec<u8>> = KEYS.rsa.public().into();
    json!({"kty": "RSA", "kid": kid, "use": "sig", "n": base64(public.n), "e": base64(public.e)})
}

fn ec_jwk(kid: &str, key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": base64(&point[1..33]), "y": base64(&point[33..])})
}

fn ed_jwk(kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64(KEYS.ed.public_key())})
}

fn key_set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("keys")
}

#[derive(serde::Deserialize)]
struct File {
    jwt: Tables,
}

fn configured(text: &str) -> Result<Vec<TrustedIssuer>, crate::catalog::CatalogError> {
    let file: File = toml_edit::de::from_str(text).expect("TOML");
    issuers(&file.jwt, text)
}

fn read(_: &SecretSource) -> Result<Secret, WeakSecret> {
    Ok(Secret::new(SHARED.into()))
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// All issuers with their keys.
fn verifier() -> Verifier {
    let verifier = Verifier::new(configured(CONFIGURED).expect("configuration"), read).expect("verifier");
    for at in verifier.stale(now()) {
        verifier.publish(at, key_set(&[rsa_jwk("r1"), ec_jwk("e1", &KEYS.ec), ed_jwk("d1")]), now());
    }
    verifier
}

#[derive(Clone, Copy)]
enum Signer<'k> {
    Es(&'k EcdsaKeyPair),
    Ed,
    Hs(&'k [u8]),
    Ps,
    Rs,
    Text(&'k [u8]),
}

impl Signer<'_> {
    fn sign(self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |padding: &'static dyn RsaEncoding| {
            let mut signature = vec![0; KEYS.rsa.public().modulus_len()];
            KEYS.rsa.sign(padding, &random, message, &mut signature).expect("signature");
            signature
        };
        match self {
            Self::Es(key) => key.sign(&random, message).expect("signature").as_ref().to_vec(),
            Self::Ed => KEYS.ed.sign(message).as_ref().to_vec(),
            Self::Hs(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec(),
            Self::Ps => rsa(&RSA_PSS_SHA256),
            Self::Rs => rsa(&RSA_PKCS1_SHA256),
            Self::Text(signature) => signature.to_vec(),
        }
    }
}

fn token(header: &str, payload: &str, signer: Signer<'_>) -> String {
    let signed = format!("{}.{}", base64(header), base64(payload));
    let signature = base64(signer.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A good payload of this issuer.
fn payload(issuer: &str) -> Value {
    json!({"iss": issuer, "aud": "loopin", "sub": "ann", "org_id": "acme", "iat": NOW, "exp": NOW + 300})
}

/// The good payload with some members replaced; `null` takes one out.
fn with(changes: Value) -> String {
    let mut payload = payload("https://hs.example");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => payload.as_object_mut().expect("an object").remove(name),
            value => payload.as_object_mut().expect("an object").insert(name.clone(), value.clone()),
        };
    }
    payload.to_string()
}

fn hs(payload: &str) -> String {
    token(r#"{"alg":"HS256","typ":"JWT"}"#, payload, Signer::Hs(SHARED.as_bytes()))
}

fn verify(token: &str) -> Result<Arc<Verified>, Refused> {
    verifier().verify(token, now()).map_err(|(why, _)| why)
}
