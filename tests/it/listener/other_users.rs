//! Another user of this machine who has read the whole authorization URL, `state` included, from the command line of
//! the browser, and sends answers of their own.

use std::{
    net::TcpStream,
    sync::{
        Mutex,
        mpsc::{self, Receiver},
    },
    thread,
};

use loopin::practice::Fault;

use super::as_nobody;
use crate::harness::{JSON, Login, PATIENCE, Provider, RawServer, Sandbox, TOKENS, Waiting, origin_of, send, tell};

/// GETs each path as another user, reads the whole reply, and prints it.
fn requests(port: u16, paths: &[String]) -> String {
    let one = |path: &String| {
        format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET %s HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n' '{path}' >&3
             cat <&3; exec 3>&-\n"
        )
    };
    paths.iter().map(one).collect::<String>() + "echo finished"
}

/// The same without waiting for a reply: the connection is closed as soon as the request is written.
fn hasty(port: u16, path: &str) -> String {
    requests(port, &[path.to_owned()]).replace("cat <&3;", "")
}

/// A code of their own, a refusal, and a code from another provider.
fn forged(login: &Login) -> [String; 3] {
    ["code=a-foreign-code", "error=access_denied", "code=a-foreign-code&iss=https://evil.example"]
        .map(|answer| login.callback(&format!("{answer}&state={}", login.state())))
}

/// Another user sends answers, which all are turned away.
#[track_caller]
fn assert_ends_nothing(login: &mut Login) {
    let port = login.port();
    let forged = forged(login);
    let Some(heard) = as_nobody(&requests(port, &forged)) else { return };
    assert!(heard.ends_with("finished\n"), "{heard}");
    assert_eq!(3, heard.matches("HTTP/1.1 403").count(), "{heard}");
    assert_eq!(3, heard.matches("<h1>This answer came from another user of this computer</h1>").count(), "{heard}");
    login.wait_for("another user of this machine sent an answer");
    as_nobody(&hasty(port, &forged[0]));
    login.assert_waiting();
}

/// A provider that knows nothing of PKCE exchanges a code of anybody.
#[test]
fn h06_without_pkce_answers_of_another_user_do_not_end_the_login() {
    for line in ["code_challenge_method = \"off\"\n", ""] {
        let server = RawServer::json(200, TOKENS);
        let sandbox = Sandbox::new();
        sandbox.configure(&(server.integration() + line));
        let mut login = sandbox.login(&[]);
        assert_ends_nothing(&mut login);
        assert!(login.answer("the-users-own-code").body.contains("You are signed in"), "{line}");
        login.finished().assert_code(0);
        let [exchanged] = &server.requests()[..] else { panic!("{:#?}", server.requests()) };
        assert!(exchanged.contains("code=the-users-own-code"), "{exchanged}");
    }
}

#[test]
fn h06_a_provider_that_does_not_promise_s256_counts_as_one_without_pkce() {
    let Waiting { mut login, sandbox, provider } = Waiting::at(Provider::with(vec![Fault::MetadataWithoutS256]));
    assert_ends_nothing(&mut login);
    Waiting { login, sandbox, provider }.ends_well();
}

/// The user knows better than the metadata that are missing.
#[test]
fn h06_with_pkce_stated_in_the_configuration_the_token_endpoint_judges_the_code() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "code_challenge_method = \"S256\"\n"));
    let login = sandbox.login(&[]);
    let answer = login.callback(&format!("code=a-code&state={}", login.state()));
    match as_nobody(&requests(login.port(), &[answer, "/done".into()])) {
        Some(heard) => assert!(heard.contains("You are signed in"), "{heard}"),
        None => drop(login.answer("a-code")),
    }
    login.finished().assert_code(0);
}

#[test]
fn h06_with_pkce_a_refused_code_of_another_user_does_not_end_the_login() {
    let Waiting { mut login, sandbox, provider } = Waiting::new();
    let iss = &provider.origin;
    let path = login.callback(&format!("code=a-foreign-code&state={}&iss={iss}", login.state()));
    let Some(heard) = as_nobody(&requests(login.port(), &[path.clone(), path])) else { return };
    assert_eq!(2, heard.matches("HTTP/1.1 400").count(), "{heard}");
    login.wait_for("peer_uid_differs: 65534");
    login.wait_for("another user of this machine sent a code, and the provider refused it");
    login.assert_waiting();
    assert_eq!(2, provider.counters().token);
    let page = login.person().allow();
    assert!(page.body.contains("You are signed in"), "{page:?}");
    login.finished().assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(0);
}

/// A provider with metadata that accepts one code. The exchange of another one lasts until `go_on` says so.
fn slow_to_refuse(arrived: mpsc::Sender<()>, go_on: Receiver<()>) -> RawServer {
    let (arrived, go_on) = (Mutex::new(arrived), Mutex::new(go_on));
    RawServer::new(move |request: &str, stream: &mut TcpStream| {
        let origin = origin_of(stream);
        if request.starts_with("GET /.well-known/oauth-authorization-server ") {
            let metadata = serde_json::json!({
                "issuer": origin, "authorization_endpoint": format!("{origin}/authorize"),
                "token_endpoint": format!("{origin}/token"), "code_challenge_methods_supported": ["S256"],
            });
            send(stream, 200, JSON, metadata.to_string().as_bytes());
        } else if request.contains("code=the-users-own-code") {
            send(stream, 200, JSON, TOKENS.as_bytes());
        } else {
            arrived.lock().expect("server").send(()).expect("test");
            go_on.lock().expect("server").recv_timeout(PATIENCE).expect("test");
            send(stream, 400, JSON, br#"{"error":"invalid_grant"}"#);
        }
    })
}

#[test]
fn h06_the_users_own_answer_counts_while_the_code_of_another_user_is_exchanged() {
    let (arrive, arrived) = mpsc::channel();
    let (go_on, gone_on) = mpsc::channel();
    let server = slow_to_refuse(arrive, gone_on);
    let sandbox = Sandbox::new();
    let endpoints = format!("issuer = \"{}\"\nclient_id = \"me\"\n", server.origin);
    sandbox
        .configure(&format!("[integration.work]\n{endpoints}store = \"file\"\nstore_key = {{ file = \"{{key}}\" }}\n"));
    let login = sandbox.login(&[]);
    let (port, foreign) = (login.port(), forged(&login)[0].clone());
    let other = thread::spawn(move || as_nobody(&requests(port, &[foreign])));
    if arrived.recv_timeout(PATIENCE).is_err() {
        return tell("skipped: cannot become another user");
    }
    // The browser sends its answer twice. One of the two is held for the outcome, so the other reply comes first.
    let own = login.callback(&format!("code=the-users-own-code&state={}", login.state()));
    let (reply, replies) = mpsc::channel();
    for _ in 0..2 {
        let (ask, reply) = (login.asking(&own), reply.clone());
        thread::spawn(move || reply.send(ask()));
    }
    let first = replies.recv_timeout(PATIENCE).expect("a reply");
    assert_eq!(410, first.status, "the other one was taken: {first:?}");
    go_on.send(()).expect("server");
    let heard = other.join().expect("script").expect("it ran");
    assert!(heard.starts_with("HTTP/1.1 400"), "{heard}");
    let held = replies.recv_timeout(PATIENCE).expect("a reply");
    assert_eq!((303, Some("/done")), (held.status, held.field("location")), "{held:?}");
    login.get("/done");
    login.finished().assert_code(0);
}
