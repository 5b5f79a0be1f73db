//! Token endpoints that differ from the RFCs, as the configuration states it. D08, D09.

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::harness::{RawServer, Sandbox};

/// Token responses as a provider sends them that nests them, and names errors by a status.
const NESTED: &str = r#"{"status":0,"body":{"access_token":"nested","refresh_token":"r","expires_in":3600}}"#;

/// The bodies of the token requests of a login and a refresh by a table with these lines, and the authorization request.
fn requests(server: &RawServer, lines: &str) -> (Vec<String>, String) {
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + lines));
    let login = sandbox.login(&[]);
    let url = login.url.clone();
    login.answer("the code");
    login.finished().assert_code(0);
    assert_eq!("nested\n", sandbox.run(&["token", "work"]).assert_code(0).stdout);
    // The SHA-256 of "nested".
    sandbox.run(&["token", "work", "--rejected", "233562de1a0288b1"]);
    let body = |request: String| request.split("\r\n\r\n").nth(1).expect("a body").to_owned();
    let bodies: Vec<_> = server.requests().into_iter().map(body).collect();
    assert_eq!(2, bodies.len(), "one exchange, one refresh");
    (bodies, url)
}

fn values(pairs: &str, name: &str) -> Vec<String> {
    form_urlencoded::parse(pairs.as_bytes()).filter(|(n, _)| n == name).map(|(_, value)| value.into_owned()).collect()
}

#[test]
fn d08_resources_and_parameters_reach_every_request_that_they_are_for() {
    let server = RawServer::json(200, NESTED);
    let (bodies, url) = requests(
        &server,
        "token_at = \"body\"\nresource = [\"https://API.example:443/v1/\", \"https://b.example/\"]\n\
         token_params = { action = \"requesttoken\" }\nrefresh_params = { scope = \"a b\" }\n",
    );
    let query = url.split_once('?').expect("a query").1;
    for request in [query, &bodies[0], &bodies[1]] {
        assert_eq!(["https://API.example:443/v1/", "https://b.example/"], values(request, "resource")[..], "{request}");
    }
    for body in &bodies {
        assert_eq!(["requesttoken"], values(body, "action")[..], "{body}");
    }
    assert_eq!(Vec::<String>::new(), values(query, "action"));
    assert_eq!((0, 1), (values(&bodies[0], "scope").len(), values(&bodies[1], "scope").len()));
}

#[test]
fn d08_a_refresh_goes_to_the_endpoint_that_is_for_it() {
    let server = RawServer::json(200, NESTED);
    requests(&server, &format!("token_at = \"body\"\nrefresh_endpoint = \"{}/refresh\"\n", server.origin));
    let targets: Vec<_> = server.requests().iter().map(|r| r.lines().next().expect("a line").to_owned()).collect();
    assert_eq!(["POST /token HTTP/1.1", "POST /refresh HTTP/1.1"], targets[..]);
}

#[test]
fn d09_a_json_endpoint_with_nested_responses_serves_a_login_and_a_refresh() {
    let server = RawServer::json(200, NESTED);
    let (bodies, _) = requests(&server, "token_request = \"json\"\ntoken_at = \"body\"\nerror_at = \"status\"\n");
    let parsed: Vec<Value> = bodies.iter().map(|body| serde_json::from_str(body).expect("JSON")).collect();
    assert_eq!(
        (json!("authorization_code"), json!("the code")),
        (parsed[0]["grant_type"].clone(), parsed[0]["code"].clone())
    );
    assert_eq!(
        (json!("refresh_token"), json!("r")),
        (parsed[1]["grant_type"].clone(), parsed[1]["refresh_token"].clone())
    );
    for request in server.requests() {
        assert!(request.to_ascii_lowercase().contains("content-type: application/json"), "{request}");
    }
}

#[test]
fn d09_an_error_in_the_body_of_a_200_ends_the_login() {
    let server = RawServer::json(200, r#"{"status":"denied_here","body":{"access_token":"a"}}"#);
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "token_at = \"body\"\nerror_at = \"status\"\n"));
    let failed = sandbox.log_in(&[]);
    assert_ne!(Some(0), failed.code);
    failed.assert_says("denied_here");
}

#[test]
fn d08_d09_a_rule_that_cannot_work_is_refused_with_its_line() {
    let sandbox = Sandbox::new();
    for (line, what) in [
        ("token_params = { grant_type = \"x\" }", "token_params: loopin sets grant_type itself"),
        ("token_params = { redirect_uri = \"x\" }", "token_params: loopin sets redirect_uri itself"),
        ("refresh_params = { refresh_token = \"x\" }", "refresh_params: loopin sets refresh_token itself"),
        ("resource = [\"api\"]", "resource: not an absolute URI"),
        ("token_at = \"a..b\"", "token_at: not the names of members"),
        ("token_request = \"xml\"", "unknown variant `xml`"),
    ] {
        sandbox
            .configure(&format!("[integration.work]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n{line}\n"));
        sandbox.run(&["login"]).assert_code(3).assert_says("line 4, column").assert_says(what);
    }
}
