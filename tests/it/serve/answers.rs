//! What strangers and callers get: fixed codes, nothing reflected, nothing found where nothing is.

use super::*;

#[test]
fn v17_groups_that_are_none_are_not_found_and_not_repeated() {
    let serving = Serving::new();
    let token = bearer(&token_of("ada", "acme"));
    for group in [
        "none",
        "WIKI",
        "Wiki",
        "..",
        "%2e%2e",
        "wiki%00",
        "wik%69",
        "wiki/..",
        "%3Cb%3E",
        "wiki;x",
        "%F0%9F%92%A9",
        "wiki.",
        "connections",
        "healthz",
        "%0d%0aSet-Cookie:a",
        "*",
        "wiki%2fauthorize",
        "-",
        "_",
        "null",
    ] {
        for end in ["authorize", "callback?state=a&code=b"] {
            let reply = serving.get(&format!("{BASE}/{group}/{end}"), &token);
            assert_eq!(404, reply.status, "{group}: {reply:?}");
            assert!(matches!(code(&reply).as_str(), "unknown_group" | "not_found"));
            assert!(group.len() < 4 || !reply.body.contains(group), "{group}");
        }
    }
}

#[test]
fn v18_a_parameter_that_stands_twice_is_refused_before_anything_else() {
    let serving = Serving::new();
    for twice in ["appCallbackUrl", "action", "baseUrl", "token"] {
        let target = format!("{BASE}/wiki/authorize?{}&{twice}=a&{twice}=b", wish("all"));
        let reply = serving.get(&target, &bearer(&token_of("ada", "acme")));
        assert_eq!((400, "duplicate_parameter".into()), (reply.status, code(&reply)), "{twice}");
    }
}

#[test]
fn v20_nothing_of_a_request_comes_back() {
    let serving = Serving::new();
    let token = bearer(&token_of("ada", "acme"));
    for payload in ["<script>alert(1)</script>", "%22%7D%2C%7B", "%0d%0aX-Evil:1", "javascript:alert(1)", "../../etc"] {
        let encoded: String = url::form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        for query in [
            format!("appCallbackUrl={encoded}&action=all"),
            wish(payload),
            format!("{}&scopes={encoded}", wish("all")),
            format!("{}&baseUrl={encoded}", wish("all")),
            format!("{}&confirm={encoded}", wish("all")),
            format!("{}&link={encoded}", wish("all")),
        ] {
            let reply = serving.get(&format!("{BASE}/wiki/authorize?{query}"), &token);
            assert!((400..500).contains(&reply.status), "{reply:?}");
            assert_eq!(None, reply.field("location"));
            assert!(!reply.body.contains(payload) && !reply.head.contains("X-Evil"), "{payload}: {reply:?}");
        }
    }
}

#[test]
fn v20_every_refusal_is_a_problem_with_a_code_and_a_number() {
    let serving = Serving::new();
    let token = token_of("ada", "acme");
    let get = |query: &str| serving.get(&format!("{BASE}/wiki/authorize?{query}"), &bearer(&token));
    assert_eq!("unauthenticated", code(&serving.get(&format!("{BASE}/wiki/authorize?{}", wish("all")), "")));
    assert_eq!("missing_parameter", code(&get("action=all")));
    assert_eq!("missing_parameter", code(&get("appCallbackUrl=https%3A%2F%2Fapp.example.com%2Foauth%2F")));
    assert_eq!("unknown_action", code(&get(&wish("none"))));
    assert_eq!("scope_not_allowed", code(&get(&format!("{}&scopes=admin", wish("all")))));
    assert_eq!("base_url_not_allowed", code(&get(&format!("{}&baseUrl=https://evil.example", wish("all")))));
    assert_eq!("invalid_app_callback_url", code(&get("action=all&appCallbackUrl=https://evil.example/")));
    assert_eq!("not_found", code(&serving.get("/", "")));
    assert_eq!("method_not_allowed", code(&serving.request("POST", &format!("{BASE}/wiki/authorize"), "", "")));
    assert_eq!("invalid_body", code(&serving.post("/wiki/token", &token, json!({ "actions": "all" }))));
    assert_eq!("invalid_body", code(&serving.post("/wiki/token", &token, json!([]))));
    assert_eq!("not_connected", code(&serving.post("/wiki/token", &token, json!({ "action": "all" }))));
}

#[test]
fn scopes_come_in_four_forms() {
    let serving = Serving::new();
    for form in ["scopes=extra%20more", "scopes=extra,more", "scopes=extra&scopes=more", "scopes[]=extra&scopes[]=more"]
    {
        let begun = serving.begin("ada", &mut Jar::default(), &format!("&{form}"));
        let url = begun.field("location").expect("location").to_owned();
        assert_eq!("base read write extra more", parameter(&url, "scope"), "{form}");
    }
}

#[test]
fn the_hosts_name_in_a_request_means_nothing() {
    let serving = Serving::new();
    let target = format!("{BASE}/wiki/authorize?{}", wish("all"));
    let reply = http(
        serving.address(),
        &format!(
            "GET {target} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n{}\r\n",
            bearer(&token_of("ada", "acme"))
        ),
    );
    let url = reply.field("location").expect("location").to_owned();
    let expected = format!("http://127.0.0.1:{}{BASE}/wiki/callback", serving.port);
    assert_eq!(expected, parameter(&url, "redirect_uri"));
}

#[test]
fn v32_state_and_counters_are_on_a_listener_of_their_own() {
    let serving = Serving::new();
    assert_success(&serving.connect("ada"));
    assert_eq!(
        (200, 404, 404),
        (serving.get("/healthz", "").status, serving.get("/metrics", "").status, serving.get("/readyz", "").status)
    );
    assert_eq!((200, 200), (serving.admin("/healthz").status, serving.admin("/readyz").status));
    assert_eq!(404, serving.admin(&format!("{BASE}/wiki/authorize")).status);
    let metrics = serving.admin("/metrics").body;
    assert!(metrics.contains("loopin_serve_flows_total{group=\"wiki\",ending=\"success\"} 1\n"), "{metrics}");
    assert!(
        metrics.contains("loopin_serve_answers_total{route=\"/:group/authorize\",status=\"302\"} 1\n"),
        "{metrics}"
    );
    for secret in ["ada", "acme", "access.", "refresh.", "app.example.com"] {
        assert!(!metrics.contains(secret), "{secret}");
    }
}

#[test]
fn o_logs_hold_no_query_no_token_and_no_user() {
    let serving = Serving::new();
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, "");
    let answer = serving.decided(&begun, "allow");
    assert_success(&serving.finish(&jar, &answer));
    let token = json_of(&serving.token("ada"))["access_token"].as_str().expect("token").to_owned();
    let secrets = [
        token,
        parameter(&answer, "code"),
        parameter(&answer, "state"),
        jar.0.values().next().expect("cookie").clone(),
        token_of("ada", "acme")[..40].to_owned(),
        "ada".into(),
        "app.example.com".into(),
    ];
    let (finished, _) = serving.terminated();
    finished.assert_code(0);
    assert!(finished.stdout.lines().count() >= 4);
    for line in finished.stdout.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line["time"].is_string() && line["request"].is_string() && line["status"].is_u64(), "{line}");
    }
    assert!(
        finished.stdout.contains(
            "\"route\":\"/:group/callback\",\"group\":\"wiki\",\"status\":302,\"code\":null,\"ending\":\"success\""
        ),
        "{finished:?}"
    );
    for secret in secrets {
        assert!(!finished.said().contains(&secret), "{secret} was said: {finished:?}");
    }
}
