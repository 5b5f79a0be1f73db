//! V10: on behalf of which organization.

use super::*;

fn chosen(claims: Value, header: Option<&str>) -> Result<String, OrgRefused> {
    let mut good = payload("https://id.example");
    let members = good.as_object_mut().expect("an object");
    members.remove("org_id");
    members.extend(claims.as_object().expect("an object").clone());
    let verified = verify(&token(r#"{"alg":"ES256","kid":"e1"}"#, &good.to_string(), Signer::Es(&KEYS.ec)));
    verified.expect("verified").caller(header).map(|caller| caller.owner.org.to_string())
}

#[test]
fn v10_the_header_counts_before_the_token_and_the_token_before_the_only_one() {
    for (expected, claims, header) in [
        ("b", json!({"org_id": "a", "orgs": ["a", "b"]}), Some("b")),
        ("a", json!({"org_id": "a", "orgs": ["a", "b"]}), None),
        ("a", json!({"orgs": ["a"]}), None),
        ("b", json!({"orgs": ["a", "b"]}), Some("b")),
        ("a", json!({"org_id": "a"}), None),
        ("a", json!({"org_id": "a"}), Some("a")),
    ] {
        assert_eq!(Ok(expected.to_owned()), chosen(claims.clone(), header), "{claims} {header:?}");
    }
}

#[test]
fn v10_an_organization_of_others_is_forbidden() {
    for (claims, header) in [
        (json!({"org_id": "a", "orgs": ["a"]}), Some("b")),
        (json!({"org_id": "c", "orgs": ["a", "b"]}), None),
        (json!({"org_id": "a", "orgs": []}), None),
        (json!({"org_id": "a"}), Some("b")),
        (json!({"orgs": ["a"]}), Some("A")),
        (json!({"orgs": ["a"]}), Some("")),
        (json!({"orgs": ["a"]}), Some(" a")),
        (json!({"orgs": ["a", "b"]}), Some("a,b")),
        (json!({}), Some("a")),
    ] {
        assert_eq!(Err(OrgRefused::Forbidden), chosen(claims.clone(), header), "{claims} {header:?}");
    }
}

#[test]
fn v10_where_nobody_says_which_one_is_required() {
    for claims in [json!({}), json!({"orgs": []}), json!({"orgs": ["a", "b"]}), json!({"org_id": null, "orgs": null})] {
        assert_eq!(Err(OrgRefused::Required), chosen(claims.clone(), None), "{claims}");
    }
}

#[test]
fn v10_a_claim_of_another_kind_is_no_organization() {
    for claims in [
        json!({"org_id": 7}),
        json!({"org_id": ""}),
        json!({"org_id": ["a"]}),
        json!({"orgs": "a"}),
        json!({"orgs": [1]}),
        json!({"orgs": ["a", ""]}),
        json!({"orgs": {"a": true}}),
        json!({"org_id": "a\nb"}),
    ] {
        let mut good = payload("https://id.example");
        good.as_object_mut().expect("an object").extend(claims.as_object().expect("an object").clone());
        let verified = verify(&token(r#"{"alg":"ES256","kid":"e1"}"#, &good.to_string(), Signer::Es(&KEYS.ec)));
        assert_eq!(Err(Refused::WrongClaim), verified, "{claims}");
    }
}

#[test]
fn v10_membership_is_asked_again_when_the_flow_ends() {
    let verified = |orgs: Value| {
        let mut good = payload("https://id.example");
        good.as_object_mut().expect("an object").insert("orgs".into(), orgs);
        verify(&token(r#"{"alg":"ES256","kid":"e1"}"#, &good.to_string(), Signer::Es(&KEYS.ec))).expect("verified")
    };
    let acme = verified(json!(["acme"])).caller(Some("acme")).expect("a member").owner;
    assert!(!verified(json!(["acme", "b"])).has_left(&acme));
    assert!(verified(json!(["b"])).has_left(&acme), "left in the meantime");
    let by_shared = verify(&hs(&with(json!({})))).expect("verified");
    assert!(!by_shared.has_left(&by_shared.caller(None).expect("a member").owner));
}

#[test]
fn h04_the_same_names_from_two_issuers_are_two_users() {
    let of_shared = verify(&hs(&with(json!({})))).expect("verified");
    let es = token(r#"{"alg":"ES256","kid":"e1"}"#, &payload("https://id.example").to_string(), Signer::Es(&KEYS.ec));
    let of_published = verify(&es).expect("verified");
    let owner = |verified: &Verified| verified.caller(None).expect("a member").owner;
    let (shared, published) = (owner(&of_shared), owner(&of_published));
    assert_eq!((&shared.user, &shared.org), (&published.user, &published.org));
    assert_eq!(("hs", ""), (shared.namespace.as_str(), published.namespace.as_str()));
    assert_ne!(shared, published);
    let mut other = payload("https://id.example");
    other["org_id"] = "b".into();
    let gone = verify(&token(r#"{"alg":"ES256","kid":"e1"}"#, &other.to_string(), Signer::Es(&KEYS.ec)));
    let gone = gone.expect("verified");
    assert!(gone.has_left(&published));
    assert!(!gone.has_left(&shared), "a user of another issuer says nothing about this one");
}

#[test]
fn v10_the_header_is_the_one_of_the_issuer() {
    let by_shared = verify(&hs(&with(json!({})))).expect("verified");
    assert_eq!(None, by_shared.org_header());
    assert_eq!(
        Ok("acme"),
        by_shared.caller(Some("other")).as_ref().map(|caller| caller.owner.org.as_str()).map_err(|e| *e)
    );
}
