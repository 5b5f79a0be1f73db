//! V06: which published keys are taken, and when they are asked for.

use super::*;

#[test]
fn v06_only_public_keys_for_signatures_are_taken() {
    let of = |changes: Value, mut key: Value| {
        key.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes())
    };
    let rsa = || rsa_jwk("k");
    let ec = || ec_jwk("k", &KEYS.ec);
    for good in [json!({}), json!({"use": "sig"}), json!({"key_ops": ["verify"]}), json!({"alg": "RS256"})] {
        assert!(of(good.clone(), rsa()).is_ok(), "{good}");
    }
    for (changes, key) in [
        (json!({"use": "enc"}), rsa()),
        (json!({"key_ops": ["encrypt"]}), rsa()),
        (json!({"alg": "RSA-OAEP"}), rsa()),
        (json!({"alg": "none"}), rsa()),
        (json!({"kty": "oct", "k": base64(SHARED)}), rsa()),
        (json!({"n": base64([0xff; 128])}), rsa()),
        (json!({"n": base64([0xff; 1024])}), rsa()),
        (json!({"n": ""}), rsa()),
        (json!({"e": ""}), rsa()),
        (json!({"n": 1}), rsa()),
        (json!({"kty": "EC"}), rsa()),
        (json!({"crv": "P-521"}), ec()),
        (json!({"crv": "secp256k1"}), ec()),
        (json!({"x": base64([1; 31])}), ec()),
        (json!({"y": ""}), ec()),
        (json!({"crv": "Ed448"}), ed_jwk("k")),
        (json!({"crv": "X25519"}), ed_jwk("k")),
    ] {
        assert_eq!(Err(JwksError::NoneOfUse), of(changes.clone(), key), "{changes}");
    }
    for text in ["", "[]", "null", "{}", "{\"keys\":{}}", "<html>", "{\"keys\":1}"] {
        assert_eq!(Err(JwksError::NotAKeySet), KeySet::parse(text.as_bytes()), "{text}");
    }
    let many: Vec<_> = (0..=MOST_KEYS).map(|_| ed_jwk("k")).collect();
    assert_eq!(Err(JwksError::TooMany), KeySet::parse(json!({ "keys": many }).to_string().as_bytes()));
    let mixed = json!({"keys": [1, {"kty": "x"}, ed_jwk("d")]});
    assert!(KeySet::parse(mixed.to_string().as_bytes()).is_ok(), "what is of no use is left out");
}

#[test]
fn v06_a_point_that_is_not_on_the_curve_verifies_nothing() {
    let verifier = Verifier::new(configured(CONFIGURED).expect("configuration"), read).expect("verifier");
    let off = json!({"kty": "EC", "crv": "P-256", "kid": "e1", "x": base64([1; 32]), "y": base64([1; 32])});
    for at in verifier.stale(now()) {
        verifier.publish(at, key_set(std::slice::from_ref(&off)), now());
    }
    let forged =
        token(r#"{"alg":"ES256","kid":"e1"}"#, &payload("https://id.example").to_string(), Signer::Text(&[1; 64]));
    assert_eq!(Err((Refused::Signature, None)), verifier.verify(&forged, now()));
}

#[test]
fn v06_a_key_that_names_its_algorithm_is_for_that_alone() {
    let verifier = Verifier::new(configured(CONFIGURED).expect("configuration"), read).expect("verifier");
    let mut key = rsa_jwk("r1");
    key["alg"] = json!("PS256");
    for at in verifier.stale(now()) {
        verifier.publish(at, key_set(std::slice::from_ref(&key)), now());
    }
    let by = |alg: &str, signer: Signer<'_>| {
        let header = json!({"alg": alg, "kid": "r1"}).to_string();
        verifier
            .verify(&token(&header, &payload("https://id.example").to_string(), signer), now())
            .map_err(|(why, _)| why)
    };
    assert!(by("PS256", Signer::Ps).is_ok());
    assert_eq!(Err(Refused::UnknownKey), by("RS256", Signer::Rs));
}

#[test]
fn v06_without_a_kid_a_token_is_taken_only_where_it_can_mean_one_key() {
    let verifier = Verifier::new(configured(CONFIGURED).expect("configuration"), read).expect("verifier");
    for at in verifier.stale(now()) {
        verifier.publish(at, key_set(&[ec_jwk("e1", &KEYS.ec), ec_jwk("e2", &KEYS.stranger)]), now());
    }
    let of = |header: &str| {
        let token = token(header, &payload("https://id.example").to_string(), Signer::Es(&KEYS.ec));
        verifier.verify(&token, now()).map_err(|(why, _)| why).map(|_| ())
    };
    assert_eq!((Ok(()), Err(Refused::UnknownKey)), (of(r#"{"alg":"ES256","kid":"e1"}"#), of(r#"{"alg":"ES256"}"#)));
}

#[test]
fn v06_an_unknown_key_is_asked_for_once_a_minute_however_many_tokens_come() {
    let verifier = verifier();
    let of = |kid: u32| {
        let header = json!({"alg": "ES256", "kid": format!("new{kid}")}).to_string();
        token(&header, &payload("https://id.example").to_string(), Signer::Es(&KEYS.stranger))
    };
    let mut asked = 0;
    for second in 0..180 {
        let now = now() + Duration::from_secs(second);
        let (why, at) = verifier.verify(&of(u32::try_from(second).expect("small")), now).expect_err("unknown");
        assert_eq!(Refused::UnknownKey, why);
        asked += usize::from(verifier.ask(at.expect("an issuer"), now).is_some());
    }
    assert_eq!(3, asked);
    let (_, at) = verifier.verify(&of(7), now()).expect_err("unknown");
    verifier.publish(at.expect("an issuer"), key_set(&[ec_jwk("new7", &KEYS.stranger)]), now());
    assert!(verifier.verify(&of(7), now()).is_ok(), "and then it is known");
}

#[test]
fn v06_a_withdrawn_key_is_forgotten_and_keys_outlive_an_issuer_that_is_down() {
    let verifier = Verifier::new(configured(CONFIGURED).expect("configuration"), read).expect("verifier");
    assert!(!verifier.is_ready(), "no key has come yet");
    let issuers = verifier.stale(now());
    assert_eq!(2, issuers.len());
    for at in &issuers {
        verifier.publish(*at, key_set(&[ec_jwk("e1", &KEYS.ec)]), now());
    }
    assert!(verifier.is_ready() && verifier.stale(now() + Duration::from_secs(899)).is_empty());
    let later = now() + Duration::from_secs(900);
    assert_eq!(issuers, verifier.stale(later), "after a quarter of an hour they are asked for again");
    let good = token(r#"{"alg":"ES256","kid":"e1"}"#, &payload("https://id.example").to_string(), Signer::Es(&KEYS.ec));
    assert!(verifier.verify(&good, now()).is_ok());
    verifier.publish(issuers[0], key_set(&[ed_jwk("d1")]), later);
    assert_eq!(Some(Refused::UnknownKey), verifier.verify(&good, now()).err().map(|(why, _)| why));
}

#[test]
fn v06_a_shared_secret_has_at_least_32_bytes() {
    let with_secret = |text: &str| {
        Verifier::new::<WeakSecret>(configured(CONFIGURED).expect("configuration"), |_| Ok(Secret::new(text.into())))
    };
    assert!(with_secret(&"x".repeat(32)).is_ok());
    for weak in ["", "secret", &"x".repeat(31)] {
        assert_eq!(Some(WeakSecret), with_secret(weak).err());
    }
    let shown = format!("{:?}", with_secret(SHARED));
    assert!(!shown.contains(SHARED) && shown.contains("[redacted]"), "{shown}");
}
