//! An id_token that comes with the tokens and breaks a rule. Nothing checks its signature: it came straight from the
//! token endpoint, over TLS or on loopback.

use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{assert_nothing_stored, login_with};
use crate::harness::{Finished, JSON, RawServer, Sandbox, origin_of, send};

/// Seconds from now.
fn at(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    i64::try_from(now).expect("small") + seconds
}

/// A reply of a token endpoint with this header and these changes of a good payload.
fn tokens(header: &Value, changes: &Value) -> String {
    let mut claims =
        json!({ "iss": "https://op.example", "sub": "7", "aud": "me", "exp": at(600), "iat": at(0), "nonce": "n" });
    for (name, value) in changes.as_object().expect("object") {
        claims[name] = value.clone();
    }
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let id_token = format!("{}.{}.c2ln", part(header), part(&claims));
    json!({ "access_token": "a-token", "refresh_token": "r", "id_token": id_token }).to_string()
}

/// A login that asks for an id_token, and gets one with this header and these changes of a good payload.
fn openid_login(header: &Value, changes: &Value) -> (Sandbox, Finished) {
    let (header, changes) = (header.clone(), changes.clone());
    let sent = Arc::new(Mutex::new(String::new()));
    let nonce = sent.clone();
    let server = RawServer::new(move |_, stream| {
        let mut changes = changes.clone();
        changes["nonce"] = nonce.lock().expect("nonce").as_str().into();
        send(stream, 200, JSON, tokens(&header, &changes).as_bytes());
    });
    let sandbox = Sandbox::at(&server);
    let login = sandbox.login(&["--scope", "openid"]);
    *sent.lock().expect("nonce") = login.parameter("nonce");
    login.answer("a-code");
    (sandbox, login.finished())
}

#[test]
fn d16_an_id_token_that_nobody_asked_for_costs_no_login() {
    for changes in [json!({ "sub": 7 }), json!({ "exp": "soon" }), json!({ "aud": ["me", "you"] }), json!({ "exp": 1 })]
    {
        let (sandbox, finished) = login_with(200, tokens(&json!({ "alg": "RS256" }), &changes).as_bytes());
        finished.assert_code(0).assert_says("an id_token without being asked, and it was ignored");
        assert_eq!("a-token\n", sandbox.run(&["token", "work"]).assert_code(0).stdout);
        sandbox.run(&["token", "work", "--id-token"]).assert_code(4);
    }
}

#[test]
fn h13_an_id_token_that_is_not_valid_yet_or_not_understood_stores_nothing() {
    let good = json!({ "alg": "RS256" });
    let soon = json!({ "nbf": at(60) });
    openid_login(&good, &soon).1.assert_code(0);
    for (header, changes, why) in [
        (good, json!({ "nbf": at(3600) }), "it is not valid yet (nbf)"),
        (json!({ "alg": "RS256", "crit": ["b64"], "b64": false }), json!({}), "must be understood (crit)"),
        (json!({ "alg": "HS256" }), json!({}), "signed with a client secret (alg), and this client has none"),
    ] {
        let (sandbox, finished) = openid_login(&header, &changes);
        finished.assert_code(9).assert_says(why).assert_says("nothing was stored");
        assert_nothing_stored(&sandbox);
    }
}

/// A login at a server whose metadata list these algorithms, with an id_token that says RS256.
fn login_where_listed(algorithms: &'static str) -> Finished {
    let sent = Arc::new(Mutex::new(String::new()));
    let nonce = sent.clone();
    let server = RawServer::new(move |request, stream| {
        let origin = origin_of(stream);
        let body = match request.starts_with("GET /.well-known/oauth-authorization-server ") {
            true => format!(
                r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/a","token_endpoint":"{origin}/t",
                    "id_token_signing_alg_values_supported":{algorithms}}}"#
            ),
            false => {
                let nonce = nonce.lock().expect("nonce").clone();
                tokens(&json!({ "alg": "RS256" }), &json!({ "iss": origin, "nonce": nonce }))
            }
        };
        send(stream, 200, JSON, body.as_bytes());
    });
    let sandbox = Sandbox::new();
    sandbox.configure(&format!(
        "[integration.work]\nissuer = \"{}\"\nclient_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n",
        server.origin
    ));
    let login = sandbox.login(&["--scope", "openid"]);
    *sent.lock().expect("nonce") = login.parameter("nonce");
    login.answer("a-code");
    login.finished()
}

#[test]
fn h13_an_algorithm_that_the_metadata_do_not_list_is_refused() {
    for algorithms in [r#"["ES256","RS256"]"#, "[]", "null"] {
        login_where_listed(algorithms).assert_code(0);
    }
    login_where_listed(r#"["ES256"]"#).assert_code(9).assert_says("an algorithm that the provider does not list (alg)");
}

/// A server with an issuer for each tenant, whose id_token names `issuer` below its origin and this tenant.
fn tenants(issuer: &'static str, tenant: &'static str) -> (RawServer, Arc<Mutex<String>>) {
    let sent = Arc::new(Mutex::new(String::new()));
    let nonce = sent.clone();
    let server = RawServer::new(move |request, stream| {
        let origin = origin_of(stream);
        let body = match request.starts_with("GET ") {
            true => format!(
                r#"{{"issuer":"{origin}/{{tenantid}}/v2.0","authorization_endpoint":"{origin}/a","token_endpoint":"{origin}/t"}}"#
            ),
            false => {
                let nonce = nonce.lock().expect("nonce").clone();
                let claims = json!({ "iss": format!("{origin}{issuer}"), "tid": tenant, "nonce": nonce });
                tokens(&json!({ "alg": "RS256" }), &claims)
            }
        };
        send(stream, 200, JSON, body.as_bytes());
    });
    (server, sent)
}

/// A login there, whose callback has these parameters beside the code.
fn login_of_tenant(server: &RawServer, nonce: &Mutex<String>, callback: &[(&str, &str)]) -> (Sandbox, Finished) {
    let sandbox = Sandbox::new();
    let origin = &server.origin;
    sandbox.configure(&format!(
        "[integration.work]\nissuer = \"{origin}/common/v2.0\"\nissuer_template = \"{origin}/{{tenantid}}/v2.0\"\n\
         client_id = \"me\"\nstore = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
    ));
    let login = sandbox.login(&["--scope", "openid"]);
    *nonce.lock().expect("nonce") = login.parameter("nonce");
    login.answer_with(&[&[("code", "a-code")], callback].concat());
    (sandbox, login.finished())
}

#[test]
fn d12_where_each_tenant_has_an_issuer_the_id_token_names_it() {
    let (server, nonce) = tenants("/t1/v2.0", "t1");
    let (sandbox, finished) = login_of_tenant(&server, &nonce, &[]);
    finished.assert_code(0);
    assert_eq!("a-token\n", sandbox.run(&["token", "work"]).assert_code(0).stdout);
    let status = sandbox.run(&["status", "work", "--json"]).assert_code(0).json();
    assert_eq!("valid", status["grants"][0]["state"], "the issuer of the tenant fits the configuration");
    let own = format!("{}/t1/v2.0", server.origin);
    login_of_tenant(&server, &nonce, &[("iss", &own)]).1.assert_code(0);
}

#[test]
fn d12_an_id_token_or_a_callback_of_another_tenant_is_refused() {
    for (issuer, tenant, iss) in [
        ("/t1/v2.0", "t2", None),
        ("/t2/v2.0", "t1", None),
        ("/evil/t1/v2.0", "t1", None),
        ("/t1/v2.0", "", None),
        // The id_token is right, and the callback came from another tenant's server.
        ("/t1/v2.0", "t1", Some("/t2/v2.0")),
        ("/t1/v2.0", "t1", Some("/t1")),
        ("/t1/v2.0", "t1", Some("/common/v2.0")),
    ] {
        let (server, nonce) = tenants(issuer, tenant);
        let iss = iss.map(|path| format!("{}{path}", server.origin));
        let callback: Vec<_> = iss.iter().map(|iss| ("iss", iss.as_str())).collect();
        let (sandbox, finished) = login_of_tenant(&server, &nonce, &callback);
        finished.assert_code(9);
        assert_nothing_stored(&sandbox);
    }
}

#[test]
fn d12_without_a_template_the_message_says_what_to_write() {
    let (server, _) = tenants("", "");
    let sandbox = Sandbox::new();
    let origin = &server.origin;
    sandbox.configure(&format!(
        "[integration.work]\nissuer = \"{origin}/common/v2.0\"\nclient_id = \"me\"\n\
         store = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"
    ));
    sandbox
        .run(&["login"])
        .assert_code(9)
        .assert_says(&format!("or for all of them: issuer_template = \"{origin}/{{tenantid}}/v2.0\""));
}
