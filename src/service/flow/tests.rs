use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use super::*;
use crate::{secret::SealKey, service::keys::KeyId};

const NOW: SystemTime = UNIX_EPOCH;

fn ring(byte: u8) -> KeyRing {
    let id = KeyId::parse("k1").expect("name");
    KeyRing::new(id.clone(), BTreeMap::from([(id, SealKey::new([byte; 32]))])).expect("ring")
}

fn name(text: &str) -> IntegrationName {
    IntegrationName::parse(text).expect("name")
}

fn request() -> FlowRequest {
    FlowRequest {
        key: GrantKey { owner: Owner::ada(), integration: name("wiki"), action: ActionKey::All },
        app_callback_url: "https://app.example/done".into(),
        scopes: Scopes::parse("extra").expect("scopes"),
        base_url: Some("https://git.example".into()),
    }
}

fn made(mode: StateMode) -> Secret {
    state(&ring(1), FlowId::new([9; 16]), mode, &request(), Nonce([2; 24]))
}

#[test]
fn v02_a_state_opens_with_our_key_for_its_group_and_unaltered() {
    for mode in [StateMode::Handle, StateMode::Sealed] {
        let state = made(mode);
        let opened = open_state(&ring(1), &name("wiki"), &state).expect("ours");
        assert_eq!(FlowId::new([9; 16]), opened.id);
        assert_eq!((mode == StateMode::Sealed).then(request), opened.request);
        assert!(open_state(&ring(2), &name("wiki"), &state).is_none(), "another key");
        assert!(open_state(&ring(1), &name("other"), &state).is_none(), "another group");
        for at in 0..state.expose().len() {
            for bit in 0..8 {
                let mut bytes = state.expose().as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let Ok(altered) = String::from_utf8(bytes) else { continue };
                assert!(open_state(&ring(1), &name("wiki"), &Secret::new(altered)).is_none(), "bit {bit} of {at}");
            }
        }
        for cut in 0..state.expose().len() {
            let cut = Secret::new(state.expose()[..cut].into());
            assert!(open_state(&ring(1), &name("wiki"), &cut).is_none());
        }
    }
}

#[test]
fn v02_a_handle_fits_where_a_state_must_be_short_and_shows_nothing() {
    // Dropbox takes 500 bytes.
    assert!(made(StateMode::Handle).expose().len() < 200);
    let sealed = URL_SAFE_NO_PAD.decode(made(StateMode::Sealed).expose()).expect("base64url");
    for field in ["ada", "acme", "app.example", "extra"] {
        assert!(!sealed.windows(field.len()).any(|w| w == field.as_bytes()), "{field}");
    }
}

#[test]
fn v01_a_button_works_in_the_browser_that_was_shown_it_and_for_ten_minutes() {
    let id = FlowId::new([9; 16]);
    let cookie = new_cookie(&[3; 32]);
    let ticket = Ticket { request: request(), link: None };
    let text = confirm_ticket(&ring(1), id, &ticket, &cookie, Nonce([2; 24]), NOW);
    let open = |held: Option<&str>, now| {
        open_confirm_ticket(
            &ring(1),
            &name("wiki"),
            text.expose(),
            |asked| {
                assert_eq!(cookie_name(&id), asked);
                held.map(str::to_owned)
            },
            now,
        )
    };
    assert_eq!(request(), open(Some(cookie.expose()), NOW).expect("its own browser").request);
    assert!(open(None, NOW).is_none(), "a browser without the cookie");
    assert!(open(Some(new_cookie(&[4; 32]).expose()), NOW).is_none(), "another browser");
    assert!(open(Some(cookie.expose()), NOW + FLOW_LIFE + Duration::from_secs(1)).is_none(), "too late");
}

#[test]
fn v01_what_was_sealed_for_one_purpose_serves_no_other() {
    let link = link_ticket(&ring(1), FlowId::new([9; 16]), &request(), Nonce([2; 24]), NOW);
    assert!(open_state(&ring(1), &name("wiki"), &link).is_none());
    assert!(open_link_ticket(&ring(1), &name("wiki"), made(StateMode::Sealed).expose(), NOW).is_none());
    let opened = open_link_ticket(&ring(1), &name("wiki"), link.expose(), NOW).expect("a link");
    assert_eq!((request(), Some(FlowId::new([9; 16]))), (opened.request, opened.link));
    assert!(open_link_ticket(&ring(1), &name("wiki"), link.expose(), NOW + Duration::from_secs(301)).is_none());
}

#[test]
fn v33_the_verifier_is_nowhere_readable_and_comes_back_for_its_own_row_only() {
    let server = AuthorizationServer {
        issuer: Some(Issuer::parse("https://as.example").expect("issuer")),
        issuer_template: crate::oauth::IssuerTemplate::parse("https://as.example/{tenantid}").ok(),
        authorization_endpoint: Endpoint::parse("https://as.example/authorize").expect("endpoint"),
        token_endpoint: Endpoint::parse("https://as.example/token").expect("endpoint"),
        revocation_endpoint: None,
        device_authorization_endpoint: None,
        iss_parameter: IssParameter::Promised,
        s256: S256::Unstated,
        id_token_algorithms: IdTokenAlgorithms::Listed(vec!["RS256".into()]),
        authentication_methods: crate::oauth::AuthenticationMethods::Unstated,
    };
    let redirect = RegisteredRedirect::parse("https://int.example/api/v1/oauth2/wiki/callback").expect("redirect");
    let content = Content {
        server: server.clone(),
        client_id: ClientId::parse("client").expect("client"),
        redirect: redirect.at_its_own_address().expect("https"),
        asked: Scopes::parse("read").expect("scopes"),
        base_url: None,
        kept: Kept { code_verifier: Some(Secret::new("canary".into())), nonce: None },
    };
    let (id, key) = (FlowId::new([9; 16]), request().key);
    let cell = content.seal(&ring(1), id, &key, Nonce([2; 24]));
    assert!(!cell.bytes().windows(6).any(|w| w == b"canary"));
    let opened = Content::open(&ring(1), id, &key, &cell).expect("its own row");
    assert!(opened.kept.code_verifier.is_some_and(|verifier| verifier.matches("canary")));
    assert_eq!((server, content.redirect.as_str()), (opened.server, opened.redirect.as_str()));
    assert!(Content::open(&ring(1), FlowId::new([8; 16]), &key, &cell).is_none(), "another row");
    let mut other = key;
    other.owner.org = OrgKey::parse("evil").expect("org");
    assert!(Content::open(&ring(1), id, &other, &cell).is_none(), "another organization's row");
}
