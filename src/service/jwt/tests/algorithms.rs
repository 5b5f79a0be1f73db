//! V06: what decides how a token is verified is the configuration, never the token.

use proptest::prelude::*;

use super::*;

const PUBLISHED: &str = "https://id.example";

fn published() -> String {
    payload(PUBLISHED).to_string()
}

#[test]
fn v06_a_token_signed_by_a_key_of_its_issuer_is_taken() {
    for (header, signer) in [
        (r#"{"alg":"RS256","kid":"r1","typ":"JWT"}"#, Signer::Rs),
        (r#"{"alg":"PS256","kid":"r1"}"#, Signer::Ps),
        (r#"{"alg":"ES256","kid":"e1","typ":"at+jwt"}"#, Signer::Es(&KEYS.ec)),
        (r#"{"alg":"EdDSA","kid":"d1","typ":"application/at+jwt"}"#, Signer::Ed),
        (r#"{"alg":"ES256"}"#, Signer::Es(&KEYS.ec)),
        (r#"{"alg":"RS256","kid":"r1","jku":"https://evil.example/jwks","x5t":"x","extra":{"a":[1]}}"#, Signer::Rs),
    ] {
        let verified = verify(&token(header, &published(), signer)).expect(header);
        assert_eq!(("ann", Role::User), (verified.user.as_str(), verified.role), "{header}");
    }
    assert!(verify(&hs(&with(json!({})))).is_ok());
}

/// Tokens with a good payload whose header or signature is not what the configuration expects.
fn hostile() -> Vec<(Refused, String)> {
    use Refused::*;
    let public: PublicKeyComponents<Vec<u8>> = KEYS.rsa.public().into();
    let jwk = rsa_jwk("r1").to_string();
    let der = KEYS.rsa.public().as_ref().to_vec();
    let pem = format!(
        "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(&der)
    );
    let point = KEYS.ec.public_key().as_ref().to_vec();
    let good = published();
    let rs = |header: &str| token(header, &good, Signer::Rs);
    let es = |header: &str| token(header, &good, Signer::Es(&KEYS.ec));
    let mut tokens = Vec::new();

    for none in ["none", "None", "NONE", "nOnE", "", " ", "null", "RS256\u{0}", "rs256", "Rs256", "RS256 ", "HS512"] {
        let header = json!({"alg": none, "kid": "r1"}).to_string();
        tokens.push((Algorithm, token(&header, &good, Signer::Text(b""))));
        tokens.push((Algorithm, rs(&header)));
    }
    for alg in ["null", "true", "256", "[\"RS256\"]", "{\"RS256\":1}"] {
        tokens.push((Algorithm, rs(&format!(r#"{{"alg":{alg},"kid":"r1"}}"#))));
    }
    tokens.push((Algorithm, rs(r#"{"kid":"r1"}"#)));
    // a public key as if it were the shared secret
    for secret in [&der, pem.as_bytes(), jwk.as_bytes(), &public.n, base64(&public.n).as_bytes(), &point, b""] {
        tokens.push((Algorithm, token(r#"{"alg":"HS256","kid":"r1"}"#, &good, Signer::Hs(secret))));
        let of_shared = with(json!({}));
        tokens.push((Signature, token(r#"{"alg":"HS256","kid":"r1"}"#, &of_shared, Signer::Hs(secret))));
    }
    // a shared secret where keys are published, and the other way round
    tokens.push((Algorithm, token(r#"{"alg":"HS256"}"#, &good, Signer::Hs(SHARED.as_bytes()))));
    tokens.push((Algorithm, token(r#"{"alg":"RS256","kid":"r1"}"#, &with(json!({})), Signer::Rs)));
    // an algorithm that this issuer's list leaves out, though its key would do
    let of_es = payload("https://es.example").to_string();
    tokens.push((Algorithm, token(r#"{"alg":"RS256","kid":"r1"}"#, &of_es, Signer::Rs)));
    tokens.push((Algorithm, token(r#"{"alg":"EdDSA","kid":"d1"}"#, &of_es, Signer::Ed)));
    // another algorithm than the one that signed
    tokens.push((Signature, token(r#"{"alg":"RS256","kid":"r1"}"#, &good, Signer::Ps)));
    tokens.push((Signature, token(r#"{"alg":"PS256","kid":"r1"}"#, &good, Signer::Rs)));
    // a key of another kind than the algorithm, by kid
    tokens.push((UnknownKey, es(r#"{"alg":"ES256","kid":"r1"}"#)));
    tokens.push((UnknownKey, rs(r#"{"alg":"RS256","kid":"e1"}"#)));
    tokens.push((UnknownKey, token(r#"{"alg":"EdDSA","kid":"e1"}"#, &good, Signer::Ed)));
    // keys that the token brings or points to
    let stranger = ec_jwk("s1", &KEYS.stranger);
    for header in [
        json!({"alg": "ES256", "kid": "e1", "jwk": stranger}),
        json!({"alg": "ES256", "kid": "e1", "jku": "https://evil.example/jwks"}),
        json!({"alg": "ES256", "kid": "e1", "x5u": "https://evil.example/x5u"}),
        json!({"alg": "ES256", "kid": "e1", "x5c": ["MIIB"]}),
        json!({"alg": "ES256", "jwk": stranger}),
    ] {
        tokens.push((Signature, token(&header.to_string(), &good, Signer::Es(&KEYS.stranger))));
    }
    // a kid is looked up and nothing else
    for kid in [
        "",
        "s1",
        "E1",
        "e1 ",
        "e1\u{0}",
        "../../dev/null",
        "/dev/null",
        "e1' OR '1'='1",
        "e1; SELECT 1",
        "|id",
        "https://evil.example/key",
        "http://169.254.169.254/",
        "%65%31",
        "*",
        "\u{202e}1e",
    ] {
        let header = json!({"alg": "ES256", "kid": kid}).to_string();
        tokens.push((UnknownKey, es(&header)));
    }
    tokens.push((UnknownKey, es(&json!({"alg": "ES256", "kid": "x".repeat(5_000)}).to_string())));
    for kid in ["1", "null", "[\"e1\"]", "{\"e1\":1}"] {
        tokens.push((UnknownKey, es(&format!(r#"{{"alg":"ES256","kid":{kid}}}"#))));
    }
    // extensions
    for header in [
        r#"{"alg":"ES256","kid":"e1","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","kid":"e1","crit":["b64"],"b64":false}"#,
        r#"{"alg":"ES256","kid":"e1","crit":[]}"#,
        r#"{"alg":"ES256","kid":"e1","crit":"exp"}"#,
        r#"{"alg":"ES256","kid":"e1","crit":null}"#,
    ] {
        tokens.push((Critical, es(header)));
    }
    // a token in a token, and other kinds of tokens
    tokens.push((Type, es(r#"{"alg":"ES256","kid":"e1","cty":"JWT"}"#)));
    tokens.push((NotAToken, token(r#"{"alg":"ES256","kid":"e1"}"#, &rs(r#"{"alg":"RS256"}"#), Signer::Es(&KEYS.ec))));
    tokens.push((Algorithm, es(r#"{"alg":"dir","enc":"A256GCM"}"#)));
    tokens.push((NotAToken, format!("{}.x.y", rs(r#"{"alg":"RS256","kid":"r1"}"#))));
    // a name that stands twice
    tokens.push((NotAToken, es(r#"{"alg":"ES256","alg":"none","kid":"e1"}"#)));
    tokens.push((NotAToken, es(r#"{"alg":"ES256","kid":"s1","kid":"e1"}"#)));
    let twice = good.replacen('{', r#"{"sub":"root","#, 1);
    tokens.push((NotAToken, token(r#"{"alg":"ES256","kid":"e1"}"#, &twice, Signer::Es(&KEYS.ec))));
    // signatures that are none
    for signature in [&b""[..], &[0; 64], &[0xff; 64], &[0; 63], &[0; 256], b"x"] {
        tokens.push((Signature, token(r#"{"alg":"ES256","kid":"e1"}"#, &good, Signer::Text(signature))));
        tokens.push((Signature, token(r#"{"alg":"RS256","kid":"r1"}"#, &good, Signer::Text(signature))));
    }
    tokens
}

#[test]
fn v06_no_token_chooses_how_it_is_verified() {
    let tokens = hostile();
    for (why, token) in &tokens {
        assert_eq!(Err(*why), verify(token), "{token}");
    }
    assert!(tokens.len() >= 60, "{} tokens", tokens.len());
}

#[test]
fn v06_what_is_no_token_is_refused_before_anything_is_decoded() {
    let good = hs(&with(json!({})));
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    for bad in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "a.b",
        "Bearer x",
        "\0",
        "é.é.é",
        &format!("{good}="),
        &format!("{good}\n"),
        &format!(" {good}"),
        &format!("{good}."),
        &format!("{signed}.{signature}."),
        &good.replace('.', ".."),
        signed,
        &good.replacen('.', "=.", 1),
        &good.replacen('.', "\n.", 1),
        &format!("{}.e30.", base64("[]")),
        &format!("{}.e30.", base64("1")),
        &format!("{}.e30.", base64("{} {}")),
        &format!("{}.e30.", base64("{\"alg\":")),
        &format!("{}.e30.", base64(b"\xff\xfe")),
        &format!("{}.e30.", base64("[".repeat(5_000))),
    ] {
        let why = verify(bad).expect_err(bad);
        assert!(matches!(why, Refused::NotAToken), "{bad:?}: {why}");
    }
    let huge = hs(&with(json!({"x": "x".repeat(LONGEST)})));
    assert_eq!(Err(Refused::TooLong), verify(&huge));
    let nearly = hs(&with(json!({"x": "x".repeat(5_500)})));
    assert!(nearly.len() <= LONGEST && verify(&nearly).is_ok(), "{} bytes are read", nearly.len());
}

#[test]
fn v06_every_flipped_bit_of_a_token_is_seen() {
    let header = r#"{"alg":"ES256","kid":"e1"}"#;
    let verifier = verifier();
    for good in [hs(&with(json!({}))), token(header, &published(), Signer::Es(&KEYS.ec))] {
        for at in 0..good.len() * 8 {
            let mut bytes = good.clone().into_bytes();
            bytes[at / 8] ^= 1 << (at % 8);
            if let Ok(flipped) = String::from_utf8(bytes) {
                assert!(verifier.verify(&flipped, now()).is_err(), "bit {at}");
            }
        }
        assert!(verifier.verify(&good, now()).is_ok());
    }
}

proptest! {
    #[test]
    fn v06_no_bytes_make_the_parser_panic_or_agree(text in "\\PC{0,200}", parts in proptest::collection::vec("[ -~]{0,60}", 3)) {
        let verifier = verifier();
        prop_assert!(verifier.verify(&text, now()).is_err());
        let encoded: Vec<_> = parts.iter().map(base64).collect();
        prop_assert!(verifier.verify(&encoded.join("."), now()).is_err());
    }
}
