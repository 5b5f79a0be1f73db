//! `loopin token` in the forms that pipes and files want.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::harness::{JSON, RawServer, Sandbox, TOKENS, send};

const TOKEN: &str = "an-access-token";

/// Not signed by anybody: it came straight from the token endpoint. Issued and expired so many seconds from now.
pub fn id_token(name: &str, issued: i64, expires: i64) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).expect("now").as_secs()).expect("now");
    let claims = json!({ "iss": "https://op.example", "sub": "1", "aud": "me", "exp": now + expires, "iat": now + issued, "name": name });
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.c2ln", part(json!({ "alg": "RS256" })), part(claims))
}

fn signed_in() -> (RawServer, Sandbox) {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    (server, sandbox)
}

/// The login was 100 seconds ago.
fn age(sandbox: &Sandbox) {
    sandbox.alter(|grant| grant.obtained_at = SystemTime::now() - Duration::from_secs(100));
}

/// The service has the same rule: `serve::tokens::v35_scopes_that_permit_nothing_are_never_missing`.
#[test]
fn a_login_covers_an_action_though_the_provider_does_not_repeat_offline_access() {
    let server = RawServer::json(
        200,
        r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"read_api"}"#,
    );
    let sandbox = Sandbox::new();
    let actions = "[integration.work.actions]\nread = [\"read_api\"]\nwrite = [\"api\"]\n";
    sandbox.configure(&format!("{}scopes = [\"offline_access\"]\n{actions}", server.integration()));
    let login = sandbox.log_in(&[]);
    assert!(login.assert_code(0).stderr.ends_with("missing: api"), "offline_access is not missing: {login:?}");
    for action in [&[][..], &["--action", "read"]] {
        let token = sandbox.run(&[&["token", "work"], action].concat());
        assert_eq!("an-access-token\n", token.assert_code(0).stdout, "{action:?}");
    }
    let denied = sandbox.run(&["token", "work", "--action", "write"]);
    denied.assert_code(4).assert_says("does not cover the action \"write\": the provider did not grant api");
    denied.assert_says("loopin login work --action write");
}

#[test]
fn d05_a_strict_check_hands_out_no_token_with_less_than_was_asked_for() {
    let server = RawServer::json(
        200,
        r#"{"access_token":"an-access-token","token_type":"Bearer","expires_in":3600,"scope":"read_api"}"#,
    );
    for (check, code) in [("lenient", 0), ("strict", 4)] {
        let sandbox = Sandbox::new();
        let fields = format!("scopes = [\"read_api\", \"api\"]\nscope_check = \"{check}\"\n");
        sandbox.configure(&format!("{}{fields}", server.integration()));
        sandbox.log_in(&[]).assert_code(0);
        let token = sandbox.run(&["token", "work", "--json"]);
        match token.assert_code(code).code {
            Some(0) => assert_eq!(serde_json::json!(["api"]), token.json()["missing"]),
            _ => drop(token.assert_says("did not grant api").assert_says("loopin login work")),
        }
    }
}

#[test]
fn each_format_is_one_line_for_its_reader() {
    let (_server, sandbox) = signed_in();
    for (format, line) in [
        ("raw", "an-access-token\n"),
        ("header", "Authorization: Bearer an-access-token\n"),
        ("env", "ACCESS_TOKEN=an-access-token\n"),
        ("curl", "header = \"Authorization: Bearer an-access-token\"\n"),
    ] {
        assert_eq!(line, sandbox.run(&["token", "work", "--format", format]).assert_code(0).stdout);
    }
    let (json, flag) = (sandbox.run(&["token", "work", "--format", "json"]), sandbox.run(&["token", "work", "--json"]));
    assert_eq!(TOKEN, json.json()["access_token"]);
    assert_eq!(flag.json()["expires_at"], json.json()["expires_at"]);
    assert_eq!(json!(1), json.json()["format"]);
}

#[test]
fn a_token_with_a_shells_own_characters_is_no_command() {
    let hostile = r#"$(touch,x)`id`'"\;&"#;
    let server = RawServer::json(200, json!({ "access_token": hostile, "token_type": "Bearer" }).to_string());
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    let mut read = sandbox.shell(r#"eval "$("$@")"; printf %s "$ACCESS_TOKEN""#, &["token", "work", "--format", "env"]);
    assert_eq!(hostile, String::from_utf8_lossy(&read.output().expect("sh").stdout));
}

#[test]
fn a_file_gets_the_token_alone_for_its_owner_alone_and_standard_output_nothing() {
    let (_server, sandbox) = signed_in();
    let file = sandbox.path("token.jwt");
    let path = file.to_str().expect("path");
    let write = ["token", "work", "--write", path];
    for _ in 0..2 {
        let run = sandbox.run(&write);
        run.assert_code(0);
        assert_eq!("", run.stdout);
        assert_eq!(TOKEN, fs::read_to_string(&file).expect("file"), "programs take a line end for a part of it");
        assert_eq!(0o600, fs::metadata(&file).expect("metadata").permissions().mode() & 0o777);
    }
    sandbox.run(&[&write[..], &["--format", "header"]].concat()).assert_code(0);
    assert_eq!(format!("Authorization: Bearer {TOKEN}\n"), fs::read_to_string(&file).expect("file"));
    let names: Vec<_> = fs::read_dir(sandbox.path("")).expect("directory").flatten().map(|e| e.file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{names:?}");
}

#[test]
fn a_place_that_is_not_ours_alone_keeps_what_it_has() {
    let (_server, sandbox) = signed_in();
    let (other, link) = (sandbox.path("other"), sandbox.path("link"));
    fs::write(&other, "precious").expect("file");
    symlink(&other, &link).expect("link");
    let directory = sandbox.path("home");
    for (path, why) in [
        (other.clone(), "chmod go-rwx"),
        (link, "link"),
        (directory, "a regular file in a real directory"),
        (sandbox.path("missing/token"), "no such file"),
    ] {
        let run = sandbox.run(&["token", "work", "--write", path.to_str().expect("path")]);
        run.assert_code(2).assert_says(why);
        assert_eq!("", run.stdout);
    }
    assert_eq!("precious", fs::read_to_string(&other).expect("file"));
}

#[test]
fn the_id_token_is_printed_and_renewed_with_the_access_token() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let server = RawServer::new(move |_, stream| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        // The first one is about to expire though its access token is not.
        let id_token = if number == 0 { id_token("first", -100, 3) } else { id_token("second", 0, 3600) };
        let tokens = json!({ "access_token": format!("access-{number}"), "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", "id_token": id_token });
        send(stream, 200, JSON, tokens.to_string().as_bytes());
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    age(&sandbox);
    let name = |jwt: &str| {
        let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).expect("claims")).expect("base64");
        serde_json::from_slice::<serde_json::Value>(&claims).expect("JSON")["name"].as_str().expect("name").to_owned()
    };
    for _ in 0..2 {
        let run = sandbox.run(&["token", "work", "--id-token"]);
        assert_eq!("second", name(run.assert_code(0).stdout.trim()));
    }
    assert_eq!(2, asked.load(Ordering::SeqCst), "the login and one refresh");
    let env = sandbox.run(&["token", "work", "--id-token", "--format", "env"]);
    assert!(env.assert_code(0).stdout.starts_with("ID_TOKEN=ey"), "{env:#?}");
    let long = sandbox.run(&["token", "work", "--id-token", "--min-ttl", "2h"]);
    long.assert_code(2).assert_says("id_tokens of work live for 3600 s only");
    assert_eq!(2, asked.load(Ordering::SeqCst), "another one would not live longer");
    let json = sandbox.run(&["token", "work", "--id-token", "--json"]).json();
    assert_eq!("second", name(json["id_token"].as_str().expect("id_token")));
    assert!(json["expires_in"].as_u64().is_some_and(|left| (3500..=3600).contains(&left)), "{json}");
}

#[test]
fn an_id_token_that_no_refresh_renews_costs_one_request_in_all_and_names_the_command() {
    let (first, refreshes) = (id_token("first", -100, -10), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&refreshes);
    let server = RawServer::new(move |request, stream| {
        let mut tokens =
            json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r" });
        match request.contains("grant_type=refresh_token") {
            true => tokens["access_token"] = format!("a{}", count.fetch_add(1, Ordering::SeqCst)).into(),
            false => tokens["id_token"] = first.clone().into(),
        }
        send(stream, 200, JSON, tokens.to_string().as_bytes());
    });
    let sandbox = Sandbox::at(&server);
    sandbox.log_in(&[]).assert_code(0);
    age(&sandbox);
    for _ in 0..3 {
        sandbox.run(&["token", "work", "--id-token"]).assert_code(4).assert_says("loopin login work");
    }
    assert_eq!(1, refreshes.load(Ordering::SeqCst));
    sandbox.run(&["token", "work"]).assert_code(0);
}

#[test]
fn without_an_id_token_the_scope_is_named_that_brings_one() {
    let (_server, sandbox) = signed_in();
    sandbox.run(&["token", "work", "--id-token"]).assert_code(4).assert_says("add the scope openid");
}
