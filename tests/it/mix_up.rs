//! Mix-up (RFC 9700 section 4.4): no code of an honest server reaches another server, whoever sends the browser where.

use crate::harness::*;

mod corpus;

/// A server that publishes metadata, with this added, and takes every code.
fn server(metadata: &'static str) -> RawServer {
    sending_browsers_to(metadata, |_| None)
}

/// The same; `forward` gives the URL that a browser at `/authorize?QUERY` is sent to.
fn sending_browsers_to(
    metadata: &'static str,
    forward: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> RawServer {
    RawServer::new(move |request, stream| {
        let origin = origin_of(stream);
        let target = request.split(' ').nth(1).unwrap_or_default();
        if target.starts_with("/.well-known/") {
            let document = format!(
                r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token"{metadata}}}"#
            );
            return send(stream, 200, JSON, document.as_bytes());
        }
        if let Some(to) = target.strip_prefix("/authorize?").and_then(&forward) {
            return send(stream, 302, &format!("Location: {to}\r\n"), b"");
        }
        send(stream, 200, JSON, TOKENS.as_bytes());
    })
}

fn discovered(server: &RawServer) -> String {
    format!("issuer = \"{}\"\n", server.origin)
}

fn explicit(server: &RawServer) -> String {
    let origin = &server.origin;
    format!("authorization_endpoint = \"{origin}/authorize\"\ntoken_endpoint = \"{origin}/token\"\n")
}

/// The integration `work` at `provider`, and `other` at a server that nobody is asked at.
fn configured(provider: &str, redirects: &str) -> Sandbox {
    let store = "store = \"file\"\nstore_key = { file = \"{key}\" }\nclient_id = \"me\"\n";
    let sandbox = Sandbox::new();
    let (own, others) = match redirects {
        "own" => ("redirect_uri = \"http://127.0.0.1:0/callback/work\"\n", ""),
        "shared" => ("", ""),
        "accepted" => ("shared_redirect = true\n", ""),
        other => panic!("{other}"),
    };
    sandbox.configure(&format!(
        "[integration.work]\n{provider}{store}{own}\n[integration.other]\nissuer = \"https://other.example\"\n{store}{others}"
    ));
    sandbox
}

const PROMISES: &str = r#","authorization_response_iss_parameter_supported":true"#;

#[test]
fn h02_mix_up_matrix_of_issuer_iss_and_redirect() {
    // What the server promises, and how it is written down.
    let kinds: [(&str, &'static str); 7] = [
        ("discovered", PROMISES),
        ("discovered", ""),
        ("explicit", ""),
        ("explicit with issuer", ""),
        ("explicit, promised", ""),
        ("explicit with issuer, promised", ""),
        ("discovered, said not to promise", PROMISES),
    ];
    let mut cells = 0;
    for (kind, metadata) in kinds {
        let promised = matches!((kind, metadata), ("discovered", PROMISES)) || kind.ends_with(", promised");
        for redirects in ["own", "shared", "accepted"] {
            for iss in ["its own", "another", "empty", "missing"] {
                let server = server(metadata);
                let origin = server.origin.clone();
                let mut provider = if kind.starts_with("discovered") { discovered(&server) } else { explicit(&server) };
                if kind.contains("with issuer") {
                    provider += &discovered(&server);
                }
                if kind.ends_with(", promised") {
                    provider += "authorization_response_iss_parameter_supported = true\n";
                }
                if kind.ends_with("not to promise") {
                    provider += "authorization_response_iss_parameter_supported = false\n";
                }
                let sandbox = configured(&provider, redirects);
                let expected = match (redirects, promised, iss) {
                    ("shared", false, _) => 3,
                    (_, _, "its own") => 0,
                    (_, _, "another" | "empty") | (_, true, "missing") => 9,
                    _ => 0,
                };
                let cell = format!("{kind}{metadata}, {redirects}, iss {iss}");
                let finished = match Login::try_start(sandbox.loopin(&["login", "work"])) {
                    Err(finished) => finished,
                    Ok(login) => {
                        let named = match iss {
                            "its own" => Some(origin.as_str()),
                            "another" => Some("https://other.example"),
                            "empty" => Some(""),
                            _ => None,
                        };
                        let answer: Vec<_> =
                            [("code", "a-code")].into_iter().chain(named.map(|iss| ("iss", iss))).collect();
                        login.answer_with(&answer);
                        login.finished()
                    }
                };
                assert_eq!(Some(expected), finished.code, "{cell}: {finished:#?}");
                assert_eq!(
                    usize::from(expected == 0),
                    server.token_requests(),
                    "{cell}: codes that the server was given"
                );
                let warned = finished.said().contains("(shared_redirect)");
                assert_eq!(redirects == "accepted" && !promised, warned, "{cell}: {finished:#?}");
                cells += 1;
            }
        }
    }
    assert_eq!(7 * 3 * 4, cells);
}

/// What a hostile server makes of an authorization request of ours: the same at an honest one, for its client there.
fn at_the_honest_one(honest: &str, query: &str) -> String {
    let mut stolen = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let value = if name == "client_id" { loopin::practice::CLIENT_ID.into() } else { value };
        stolen.append_pair(&name, &value);
    }
    format!("{honest}/authorize?{}", stolen.finish())
}

/// Both integrations as `add` writes them, or as tables from before that had no redirect of their own.
fn two_servers(hostile: &RawServer, honest: &Provider, own: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let store = "store = \"file\"\nstore_key = { file = \"{key}\" }\n";
    let redirect = |name: &str| match own {
        "own" => format!("redirect_uri = \"http://127.0.0.1:0/callback/{name}\"\n"),
        _ => String::new(),
    };
    sandbox.configure(&format!(
        "[integration.hostile]\n{}client_id = \"theirs\"\n{store}{}\n[integration.honest]\nissuer = \"{}\"\nclient_id = \"{}\"\n{store}{}",
        explicit(hostile),
        redirect("hostile"),
        honest.origin,
        loopin::practice::CLIENT_ID,
        redirect("honest"),
    ));
    sandbox
}

#[test]
fn h02_a_hostile_server_gets_no_code_of_an_honest_one() {
    use loopin::practice::Fault;
    for faults in [vec![], vec![Fault::AnswersWithoutIss]] {
        let honest = Provider::with(faults);
        honest.register("http://127.0.0.1:0/callback/honest".into());
        let origin = honest.origin.clone();
        let hostile = sending_browsers_to("", move |query| Some(at_the_honest_one(&origin, query)));

        // From before: both wait at /callback.
        let sandbox = two_servers(&hostile, &honest, "shared");
        let refused = sandbox.run(&["login", "hostile"]);
        refused.assert_code(3).assert_says("redirect_uri = \"http://127.0.0.1:0/callback/hostile\"");
        refused.assert_says("shared_redirect = true");

        // Apart: the honest server does not know the redirect that the hostile one was asked with.
        let sandbox = two_servers(&hostile, &honest, "own");
        let login = Login::start(sandbox.loopin(&["login", "hostile"]));
        let page = follow(&login.url);
        assert_eq!(400, page.status, "the honest server sends no browser there: {page:?}");

        // Nor does it help to name the honest integration's own: this login's listener answers its own path alone.
        let mut redirected = at_the_honest_one(&honest.origin, login.url.split_once('?').expect("query").1);
        redirected = redirected.replace("callback%2Fhostile", "callback%2Fhonest");
        let answer = Person::at(redirected).allow();
        assert_eq!(404, answer.status, "{answer:?}");
        assert_eq!(0, hostile.token_requests(), "a code reached the hostile server");
    }
}

#[test]
fn h02_where_a_shared_redirect_is_accepted_a_present_iss_still_counts() {
    let honest = Provider::new();
    let origin = honest.origin.clone();
    let hostile = sending_browsers_to("", move |query| Some(at_the_honest_one(&origin, query)));
    let sandbox = two_servers(&hostile, &honest, "shared");
    let text = std::fs::read_to_string(sandbox.config()).expect("configuration");
    sandbox.configure(&text.replace("client_id = \"theirs\"\n", "client_id = \"theirs\"\nshared_redirect = true\n"));
    let login = Login::start(sandbox.loopin(&["login", "hostile"]));
    let url = at_the_honest_one(&honest.origin, login.url.split_once('?').expect("query").1);
    Person::at(url).allow();
    let finished = login.finished();
    finished.assert_code(9).assert_says("another origin");
    assert_eq!(0, hostile.token_requests(), "the code of the honest server");
}

#[test]
fn h02_add_gives_each_integration_a_redirect_of_its_own_and_says_what_to_register() {
    let sandbox = Sandbox::new();
    let add = |name: &str, issuer: &str, more: &[&str]| {
        sandbox.run(&[&["integration", "add", name, "--issuer", issuer, "--client-id", "me"], more].concat())
    };
    let added = add("work", "https://a.example", &[]);
    added.assert_code(0).assert_says("register at the provider: http://127.0.0.1:0/callback/work");
    let text = std::fs::read_to_string(sandbox.config()).expect("configuration");
    assert!(text.contains("redirect_uri = \"http://127.0.0.1:0/callback/work\"\n"), "{text}");

    let same = ["--redirect-uri", "http://127.0.0.1:0/callback/work"];
    let refused = add("play", "https://b.example", &same);
    refused.assert_code(3).assert_says("--redirect-uri http://127.0.0.1:0/callback/play");
    assert_eq!(text, std::fs::read_to_string(sandbox.config()).expect("configuration"), "nothing was written");
    add("twin", "https://a.example", &same).assert_code(0);
    add("play", "https://b.example", &[&same[..], &["--shared-redirect"]].concat()).assert_code(0);
    for name in [".", "..", "..."] {
        add(name, "https://c.example", &[]).assert_code(2).assert_says("is not a name");
    }

    let status = sandbox.run(&["status"]);
    status.assert_says("warning: work shares its redirect URI with play at another server");
    let checked = sandbox.run(&["redirect", "check", "http://127.0.0.1:0/callback/work"]);
    checked.assert_code(0).assert_says("play and twin and work use it at different servers");
    let alone = sandbox.run(&["redirect", "check", "http://127.0.0.1:0/callback/alone"]);
    assert!(alone.assert_code(0).stdout.ends_with("\ngood\n"), "a path of its own is a usual one: {alone:#?}");
}

#[test]
fn h02_a_relay_that_is_named_at_login_is_shared_like_one_in_the_configuration() {
    let server = server("");
    let sandbox = Sandbox::new();
    let store = "store = \"file\"\nstore_key = { file = \"{key}\" }\nclient_id = \"me\"\n";
    sandbox.configure(&format!(
        "[integration.work]\n{}{store}redirect_uri = \"http://127.0.0.1:0/callback/work\"\n\
         [integration.other]\nissuer = \"https://other.example\"\n{store}redirect_uri = \"http://127.0.0.1:5001/callback/other\"\n\
         relay = \"https://acme.example/cli\"\n",
        explicit(&server)
    ));
    let login = |relay: &str| {
        let port = fixed_port().to_string();
        Login::try_start(sandbox.loopin(&["login", "work", "--relay", relay, "--port", &port]))
    };
    let refused = login("https://acme.example/cli").err().expect("no login begins");
    refused.assert_code(3).assert_says("work and other use the same redirect URI");
    assert!(login("https://acme.example/cli/work").is_ok(), "a route of its own");
}
