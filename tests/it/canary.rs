//! Every secret is a canary that no other text contains; every command runs at its loudest; the canaries are found
//! nowhere but where they were asked for.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::json;

use crate::harness::{Finished, JSON, RawServer, Sandbox, parameter, send, write_private};

/// Random, with characters that change in URLs, in JSON and in base64.
fn canary(name: &str) -> String {
    let chance: [u8; 12] = loopin::system::entropy::random().expect("entropy");
    let hex: String = chance.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}+/{hex}\"\\=~%?")
}

/// The canary as it is, in a URL, in JSON, in hexadecimal, and in base64 wherever it begins.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let path: String = url.replace('+', "%20");
    let json = json!(secret).to_string().trim_matches('"').to_owned();
    let debug = format!("{secret:?}");
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![secret.to_owned(), url, path, json, debug, hex.clone(), hex.to_uppercase()];
    for before in 0..3 {
        let shifted = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        for text in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            // The first and the last characters depend on the neighbours.
            all.push(text[4..text.len() - 4].to_owned());
        }
    }
    all.into_iter().map(String::into_bytes).collect()
}

#[track_caller]
fn assert_absent(secrets: &[(&str, String)], place: &str, content: &[u8]) {
    for (name, secret) in secrets {
        for form in forms(secret) {
            let found = content.windows(form.len()).any(|window| window == form);
            assert!(
                !found,
                "{name} as {:?} in {place}: {}",
                String::from_utf8_lossy(&form),
                String::from_utf8_lossy(content)
            );
        }
    }
}

#[test]
fn the_search_finds_each_form() {
    let secret = canary("x");
    let secrets = [("x", secret.clone())];
    let json = json!({ "a": secret }).to_string();
    for hidden in [
        secret.clone(),
        json.clone(),
        format!("?{}", url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>()),
        STANDARD_NO_PAD.encode(&secret),
        URL_SAFE_NO_PAD.encode(format!("ab{secret}")),
        STANDARD_NO_PAD.encode(format!("me:{secret}:after")),
    ] {
        let found = std::panic::catch_unwind(|| assert_absent(&secrets, "a test", hidden.as_bytes()));
        assert!(found.is_err(), "{hidden}");
    }
    assert_absent(&secrets, "a test", b"nothing");
}

/// A provider whose answers are set one by one, and which keeps what it was sent.
struct Hostile {
    server: RawServer,
    reply: Arc<Mutex<(u16, String)>>,
}

impl Hostile {
    fn new() -> Self {
        let reply = Arc::new(Mutex::new((200, String::new())));
        let current = Arc::clone(&reply);
        let server = RawServer::new(move |_, stream| {
            let (status, body) = current.lock().expect("reply").clone();
            send(stream, status, JSON, body.as_bytes());
        });
        Self { server, reply }
    }

    fn says(&self, status: u16, body: impl Into<String>) {
        *self.reply.lock().expect("reply") = (status, body.into());
    }
}

struct Leaks {
    sandbox: Sandbox,
    provider: Hostile,
    secrets: Vec<(&'static str, String)>,
    /// Where secrets belong, since the person put them there.
    given: PathBuf,
}

impl Leaks {
    fn secret(&self, name: &str) -> &str {
        &self.secrets.iter().find(|(known, _)| *known == name).expect("secret").1
    }

    fn id_token(&self, nonce: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("now").as_secs();
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let claims = json!({ "iss": "https://op.example", "sub": "1", "aud": "me", "exp": now + 600, "iat": now, "nonce": nonce, "secret": self.secret("id_token") });
        format!("{}.{}.c2ln", part(json!({ "alg": "RS256" })), part(claims))
    }

    /// A login whose token endpoint gives `body`; the nonce goes where `{id}` says that an id_token belongs.
    fn login(&mut self, arguments: &[&str], status: u16, body: &str) -> Finished {
        let login = self.sandbox.login(arguments);
        let asked = login.url.clone();
        let body = body.replace("{id}", &self.id_token(&login.parameter("nonce")));
        self.provider.says(status, body);
        // Strangers' requests first, with everything in their queries.
        for (name, secret) in &self.secrets {
            let value: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            login.get(&login.callback(&format!("code={value}&state={name}")));
            login.get(&format!("/{name}?x={value}"));
        }
        login.answer(self.secret("code"));
        let (state, nonce) = (login.state(), login.parameter("nonce"));
        let finished = login.finished();
        // The URL is for the person; what is in it stands nowhere else.
        let said = finished.said().replacen(&asked, "", 1);
        let sent = self.provider.server.requests().last().cloned().unwrap_or_default();
        let verifier = parameter(&format!("?{}", sent.split("\r\n\r\n").nth(1).unwrap_or_default()), "code_verifier");
        assert_eq!(43, verifier.len(), "{sent}");
        let known = self.secrets.len();
        self.secrets.extend([("state", state), ("code_verifier", verifier)]);
        self.secrets.extend((!nonce.is_empty()).then_some(("nonce", nonce)));
        assert_absent(&self.secrets, &format!("login {arguments:?}"), said.as_bytes());
        self.assert_files();
        self.secrets.truncate(known);
        finished
    }

    /// A command at its loudest; what it prints, searched.
    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        let output = self.sandbox.loopin(arguments).envs(environment.iter().copied()).output().expect("runs");
        let finished = Finished::new(output);
        assert_absent(&self.secrets, &format!("{arguments:?}"), finished.said().as_bytes());
        self.assert_files();
        finished
    }

    fn assert_files(&self) {
        for (path, content) in self.sandbox.files() {
            if path != self.given {
                assert_absent(&self.secrets, &path.display().to_string(), &content);
            }
        }
    }
}

fn planted() -> Leaks {
    let provider = Hostile::new();
    let sandbox = Sandbox::new();
    let names = ["client_secret", "access_token", "refresh_token", "id_token", "code"];
    let secrets: Vec<_> = names.map(|name| (name, canary(name))).into();
    let given = sandbox.path("client-secret");
    write_private(&given, secrets[0].1.as_bytes());
    let lines = format!("scopes = [\"openid\"]\nclient_secret = {{ file = \"{}\" }}\n", given.display());
    sandbox.configure(&(provider.server.integration() + &lines));
    Leaks { sandbox, provider, secrets, given }
}

const LOUD: [&[&str]; 3] = [&["-v"], &["--json"], &["-v", "--json"]];

#[test]
fn o03_no_secret_is_found_anywhere_but_where_it_was_asked_for() {
    let mut leaks = planted();
    let tokens = json!({ "access_token": leaks.secret("access_token"), "refresh_token": leaks.secret("refresh_token"), "id_token": "{id}", "token_type": "Bearer", "expires_in": 3600 }).to_string();
    for loud in LOUD {
        leaks.login(loud, 200, &tokens).assert_code(0);
        for arguments in [
            ["status"].as_slice(),
            &["status", "work"],
            &["token", "work", "--account", "nobody"],
            &["token", "work", "--min-ttl", "24h"],
            &["token", "wrok"],
            &["token", "work", "--store", "keychain"],
            &["integration", "list"],
            &["integration", "show", "work"],
            &["integration", "remove", "work"],
            &["integration", "add", "work", "--issuer", "https://op.example", "--client-id", "x"],
            &["redirect", "check", "http://127.0.0.1:0/callback"],
            &["completions", "zsh"],
            &["man"],
            &["--help"],
        ] {
            leaks.run(&[arguments, loud].concat(), &[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")]);
        }
    }
    // Where it was asked for: the access token, on standard output, and none of the others.
    let others: Vec<_> = leaks.secrets.iter().filter(|(name, _)| *name != "access_token").cloned().collect();
    for loud in LOUD {
        let token = leaks.sandbox.run(&[&["token", "work"], loud].concat());
        token.assert_code(0);
        assert_absent(&leaks.secrets, "talk of token", token.stderr.as_bytes());
        assert_absent(&others, "token", token.stdout.as_bytes());
        let asked_for = if loud == ["-v"] {
            token.stdout.trim().to_owned()
        } else {
            token.json()["access_token"].as_str().expect("token").to_owned()
        };
        assert_eq!(leaks.secret("access_token"), asked_for);
    }
    // A provider that answers the revocation with everything it knows.
    leaks.provider.says(400, tokens);
    leaks.run(&["logout", "work", "-v"], &[]).assert_code(0);
    leaks.assert_files();
}

#[test]
fn o03_no_failure_gives_a_secret_away() {
    let mut leaks = planted();
    let (access, refresh, code, secret) = (
        leaks.secret("access_token").to_owned(),
        leaks.secret("refresh_token").to_owned(),
        leaks.secret("code").to_owned(),
        leaks.secret("client_secret").to_owned(),
    );
    let replies = [
        (
            400,
            json!({ "error": "invalid_grant", "error_description": format!("code {code} of client {secret}") })
                .to_string(),
        ),
        (401, json!({ "error": "invalid_client", "error_description": secret }).to_string()),
        (200, json!({ "error": format!("{access} {refresh}") }).to_string()),
        (200, format!("<html>{access}{refresh}{code}{secret}</html>")),
        (500, json!({ "access_token": access, "refresh_token": refresh }).to_string()),
        (200, json!({ "access_token": format!("{access}\n") }).to_string()),
        (200, json!({ "access_token": access, "refresh_token": format!("{refresh}\0") }).to_string()),
        (200, json!({ "access_token": access, "token_type": "DPoP" }).to_string()),
        (200, json!({ "access_token": access, "id_token": "{id}x.y" }).to_string()),
        (200, json!({ "access_token": access, "id_token": leaks.id_token("another nonce") }).to_string()),
        (200, format!("{{\"access_token\":{0},\"access_token\":{0}}}", json!(access))),
        (302, json!({ "access_token": access }).to_string()),
    ];
    for (status, body) in replies {
        for loud in LOUD {
            let finished = leaks.login(loud, status, &body);
            assert_ne!(Some(0), finished.code, "{finished:?}");
            leaks.run(&[&["token", "work"], loud].concat(), &[]).assert_code(4);
        }
    }
}

#[test]
fn o03_a_store_that_fails_gives_no_secret_away() {
    let mut leaks = planted();
    let tokens =
        json!({ "access_token": leaks.secret("access_token"), "refresh_token": leaks.secret("refresh_token") })
            .to_string();
    // Without openid there is no id_token to check.
    let text = std::fs::read_to_string(leaks.sandbox.config()).expect("configuration");
    leaks.sandbox.configure(&text.replace("scopes = [\"openid\"]\n", ""));
    leaks.login(&["-v"], 200, &tokens).assert_code(0);

    write_private(&leaks.sandbox.path("store.key"), &[9; 32]);
    leaks.run(&["token", "work", "-v"], &[]).assert_code(8);
    leaks.run(&["logout", "work", "-v", "--json"], &[]).assert_code(8);
    write_private(&leaks.sandbox.path("store.key"), &[7; 32]);
    write_private(&leaks.sandbox.stored_file(".item"), b"torn");
    leaks.run(&["token", "work", "-v"], &[]).assert_code(8);
    leaks.run(&["status", "-v", "--json"], &[]).assert_code(0);
}

#[test]
fn o03_a_client_secret_in_a_variable_stays_there() {
    let provider = Hostile::new();
    let sandbox = Sandbox::new();
    let secrets = vec![("client_secret", canary("client_secret"))];
    sandbox.configure(&(provider.server.integration() + "client_secret = { env = \"WORK_SECRET\" }\n"));
    let given = sandbox.path("none");
    let leaks = Leaks { sandbox, provider, secrets, given };
    for arguments in [
        ["login", "work", "-v", "--timeout", "1s"].as_slice(),
        &["integration", "show", "work", "-v"],
        &["status", "--json"],
    ] {
        leaks.run(arguments, &[("WORK_SECRET", leaks.secret("client_secret"))]);
    }
}

#[test]
fn o03_the_demo_shows_none_of_its_tokens() {
    let demo = Sandbox::new().run(&["demo", "--yes", "-v"]);
    demo.assert_code(0);
    assert!(!demo.said().contains("access.") && !demo.said().contains("refresh."), "{demo:?}");
    let url = demo.stderr.lines().find(|line| line.contains("/authorize?")).expect("URL").trim().to_owned();
    for name in ["state", "code_challenge"] {
        assert_eq!(1, demo.said().matches(&parameter(&url, name)).count(), "{name} stands in the URL alone");
    }
}
