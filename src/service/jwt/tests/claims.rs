//! V07 and V08: when a token counts, for what, and about whom.

use super::*;

fn time(name: &str, value: Value) -> Result<(), Refused> {
    verify(&hs(&with(json!({ name: value })))).map(|_| ())
}

#[test]
fn v07_exp_is_a_number_in_the_future() {
    let now = i64::try_from(NOW).expect("in range");
    assert_eq!(Err(Refused::Times), time("exp", Value::Null), "missing");
    for (expected, value) in [
        (Ok(()), json!(now + 1)),
        (Ok(()), json!(now)),
        (Ok(()), json!(now - 59)),
        (Err(Refused::Expired), json!(now - 60)),
        (Err(Refused::Expired), json!(now - 61)),
        (Err(Refused::Expired), json!(0)),
        (Ok(()), json!(NOW as f64 + 0.5)),
        (Ok(()), json!(253_402_300_799_u64)),
        (Err(Refused::Times), json!(253_402_300_800_u64)),
        (Err(Refused::Times), json!(9_223_372_036_854_775_808_u64)),
        (Err(Refused::Times), json!(u64::MAX)),
        (Err(Refused::Times), json!(1e300)),
        (Err(Refused::Times), json!(-1)),
        (Err(Refused::Times), json!(-0.5)),
        (Err(Refused::Times), json!((now + 300).to_string())),
        (Err(Refused::Times), json!("never")),
        (Err(Refused::Times), json!("")),
        (Err(Refused::Times), json!(true)),
        (Err(Refused::Times), json!([now + 300])),
        (Err(Refused::Times), json!({"at": now + 300})),
        // milliseconds are not seconds
        (Err(Refused::Times), json!((now + 300) * 1000)),
    ] {
        assert_eq!(expected, time("exp", value.clone()), "exp {value}");
    }
    let null = with(json!({})).replace(&(NOW + 300).to_string(), "null");
    assert_eq!(Err(Refused::Times), verify(&hs(&null)).map(|_| ()), "null");
    let huge = with(json!({})).replace(&(NOW + 300).to_string(), &"9".repeat(400));
    assert_eq!(Err(Refused::NotAToken), verify(&hs(&huge)).map(|_| ()), "no number at all");
}

#[test]
fn v07_nbf_and_iat_are_numbers_of_the_past_where_they_are_there() {
    for (name, early) in [("nbf", Refused::NotYetValid), ("iat", Refused::IssuedInTheFuture)] {
        for (expected, value) in [
            (Ok(()), Value::Null),
            (Ok(()), json!(NOW)),
            (Ok(()), json!(0)),
            (Ok(()), json!(NOW + 60)),
            (Err(early), json!(NOW + 61)),
            (Err(early), json!(NOW as f64 + 60.5)),
            (Err(early), json!(253_402_300_799_u64)),
            (Err(Refused::Times), json!(9_223_372_036_854_775_808_u64)),
            (Err(Refused::Times), json!(-1)),
            (Err(Refused::Times), json!(NOW.to_string())),
            (Err(Refused::Times), json!(false)),
            (Err(Refused::Times), json!([])),
        ] {
            assert_eq!(expected, time(name, value.clone()), "{name} {value}");
        }
    }
}

#[test]
fn v07_the_configuration_may_trust_clocks_less_but_not_more() {
    let with_leeway = |seconds: u64| CONFIGURED.replace("[[jwt]]\n", &format!("[[jwt]]\nleeway_s = {seconds}\n"));
    let strict = Verifier::new(configured(&with_leeway(0)).expect("configuration"), read).expect("verifier");
    let verify = |exp: u64| strict.verify(&hs(&with(json!({"exp": exp}))), now()).map_err(|(why, _)| why).map(|_| ());
    assert_eq!((Ok(()), Err(Refused::Expired)), (verify(NOW + 1), verify(NOW)));
    let error = configured(&with_leeway(61)).expect_err("more than a minute");
    assert!(error.to_string().contains("leeway_s"), "{error}");
}

#[test]
fn v08_issuer_and_audience_are_compared_as_they_are() {
    for (why, name, value) in [
        (Refused::Issuer, "iss", Value::Null),
        (Refused::Issuer, "iss", json!("")),
        (Refused::Issuer, "iss", json!("https://hs.example/")),
        (Refused::Issuer, "iss", json!("https://HS.example")),
        (Refused::Issuer, "iss", json!("http://hs.example")),
        (Refused::Issuer, "iss", json!("https://hs.example.evil.example")),
        (Refused::Issuer, "iss", json!(["https://hs.example"])),
        (Refused::Issuer, "iss", json!(1)),
        (Refused::Audience, "aud", Value::Null),
        (Refused::Audience, "aud", json!("")),
        (Refused::Audience, "aud", json!("Loopin")),
        (Refused::Audience, "aud", json!("loopin ")),
        (Refused::Audience, "aud", json!("loopin2")),
        (Refused::Audience, "aud", json!("loopin other")),
        (Refused::Audience, "aud", json!([])),
        (Refused::Audience, "aud", json!(["other"])),
        (Refused::Audience, "aud", json!([["loopin"]])),
        (Refused::Audience, "aud", json!(["loopin", 1])),
        (Refused::Audience, "aud", json!({"loopin": true})),
        (Refused::Audience, "aud", json!(true)),
    ] {
        assert_eq!(Err(why), verify(&hs(&with(json!({ name: value.clone() })))), "{name} {value}");
    }
    assert!(verify(&hs(&with(json!({"aud": ["other", "loopin"]})))).is_ok());
}

#[test]
fn v08_a_token_of_one_issuer_says_nothing_as_another() {
    let as_published = with(json!({"iss": "https://id.example"}));
    assert_eq!(Err(Refused::Algorithm), verify(&hs(&as_published)), "signed with the secret of another issuer");
    let header = r#"{"alg":"ES256","kid":"e1"}"#;
    let as_shared = token(header, &with(json!({})), Signer::Es(&KEYS.ec));
    assert_eq!(Err(Refused::Algorithm), verify(&as_shared), "signed with the key of another issuer");
}

#[test]
fn v08_a_token_for_signing_in_is_no_token_for_calling() {
    for claims in [
        json!({"nonce": "n"}),
        json!({"at_hash": "x"}),
        json!({"c_hash": "x"}),
        json!({"typ": "ID"}),
        json!({"typ": "Refresh"}),
        json!({"token_use": "id"}),
    ] {
        assert_eq!(Err(Refused::SignInToken), verify(&hs(&with(claims.clone()))), "{claims}");
    }
    assert!(verify(&hs(&with(json!({"typ": "Bearer", "token_use": "access"})))).is_ok());
}

#[test]
fn v08_only_the_expected_kinds_of_token_are_taken() {
    let typed = |typ: Value, payload: &str| {
        let header = json!({"alg": "HS256", "typ": typ}).to_string();
        token(&header, payload, Signer::Hs(SHARED.as_bytes()))
    };
    let good = with(json!({}));
    for typ in ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(verify(&typed(json!(typ), &good)).is_ok(), "{typ}");
    }
    for typ in [
        json!("logout+jwt"),
        json!("secevent+jwt"),
        json!("dpop+jwt"),
        json!("id+jwt"),
        json!("JOSE"),
        json!(""),
        json!("application/"),
        json!("at+jwt "),
        json!(1),
        json!(["JWT"]),
        Value::Null,
    ] {
        assert_eq!(Err(Refused::Type), verify(&typed(typ.clone(), &good)), "{typ}");
    }
    let strict = CONFIGURED.replace("hs256 =", "typ = [\"application/at+jwt\"]\nhs256 =");
    let strict = Verifier::new(configured(&strict).expect("configuration"), read).expect("verifier");
    assert!(strict.verify(&typed(json!("at+JWT"), &good), now()).is_ok());
    for other in [typed(json!("JWT"), &good), token(r#"{"alg":"HS256"}"#, &good, Signer::Hs(SHARED.as_bytes()))] {
        assert_eq!(Err((Refused::Type, None)), strict.verify(&other, now()));
    }
}

#[test]
fn v08_the_user_is_named_by_a_text_of_the_configured_claim() {
    for value in [
        Value::Null,
        json!(""),
        json!(" "),
        json!(" ann"),
        json!(7),
        json!(true),
        json!(["ann"]),
        json!({"id": "ann"}),
        json!("a\nb"),
        json!("ann\u{0}"),
        json!("\u{202e}nna"),
        json!("x".repeat(255)),
    ] {
        assert_eq!(Err(Refused::User), verify(&hs(&with(json!({ "sub": value.clone() })))), "{value}");
    }
    let by_mail = CONFIGURED.replace("hs256 =", "user = \"email\"\nhs256 =");
    let by_mail = Verifier::new(configured(&by_mail).expect("configuration"), read).expect("verifier");
    let named = by_mail.verify(&hs(&with(json!({"email": "ann@acme.example"}))), now()).expect("verified");
    assert_eq!("ann@acme.example", named.user.as_str());
    assert_eq!(Err((Refused::User, None)), by_mail.verify(&hs(&with(json!({}))), now()));
}

#[test]
fn v08_a_service_is_who_has_the_configured_scope() {
    let role = |claims: Value| {
        let mut good = payload("https://id.example");
        good.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        let header = r#"{"alg":"ES256","kid":"e1"}"#;
        verify(&token(header, &good.to_string(), Signer::Es(&KEYS.ec))).map(|verified| verified.role)
    };
    for claims in [
        json!({"scope": "loopin:service"}),
        json!({"scope": "openid loopin:service x"}),
        json!({"scp": ["x", "loopin:service"]}),
        json!({"scope": "x", "scp": "loopin:service"}),
    ] {
        assert_eq!(Ok(Role::Service), role(claims.clone()), "{claims}");
    }
    for claims in [
        json!({}),
        json!({"scope": ""}),
        json!({"scope": "loopin:services"}),
        json!({"scope": "xloopin:service"}),
        json!({"scope": "loopin:service,x"}),
        json!({"scope": "LOOPIN:SERVICE"}),
        json!({"role": "loopin:service"}),
    ] {
        assert_eq!(Ok(Role::User), role(claims.clone()), "{claims}");
    }
    assert_eq!(Err(Refused::WrongClaim), role(json!({"scope": {"loopin:service": true}})));
    let unconfigured = verify(&hs(&with(json!({"scope": "loopin:service"})))).map(|verified| verified.role);
    assert_eq!(Ok(Role::User), unconfigured, "this issuer has no service_scope");
}
