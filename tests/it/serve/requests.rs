//! Requests and configurations that are refused or reported before they can do harm.

use super::*;
use crate::harness::RawServer;

const URLS: &str = include_str!("../../data/hostile-urls.tsv");

#[test]
fn h12_no_hostile_url_begins_a_flow() {
    let allow = "base_allow = [\"*\", \"https://git.acme.example/gitlab\", { url = \"https://own.acme.example\", \
                 client_id = \"own\", client_secret = { file = \"{dir}/hs256\" } }]";
    let serving = Serving::with(Provider::new(), |config| {
        let config = config.replace("requiresPKCE", &format!("{allow}\nrequiresPKCE"));
        config.replace("allow = [\"https://app", "allow = [\"http://127.0.0.1:*/callback\", \"https://app")
    });
    let (fields, mut count) = (bearer(&token_of("ada", "acme")), 0);
    for line in URLS.lines().filter(|line| !line.starts_with('#')) {
        let [kind, url, _] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let url: String = serde_json::from_str(url).expect(line);
        let (name, other, expected) = match kind {
            // An empty baseUrl is none.
            "base" if url.is_empty() => continue,
            "base" => ("baseUrl", ("appCallbackUrl", APP), "base_url_not_allowed"),
            _ => ("appCallbackUrl", ("baseUrl", ""), "invalid_app_callback_url"),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair(name, &url).append_pair(other.0, other.1).append_pair("action", "all");
        let reply = serving.get(&format!("{BASE}/wiki/authorize?{}", query.finish()), &fields);
        let answered = (reply.status, code(&reply), reply.field("location"), reply.field("set-cookie"));
        assert_eq!((400, expected.to_owned(), None, None), answered, "{line}");
        count += 1;
    }
    assert!(count >= 200, "{count}");
}

/// The instance's own secret is configured for one path of its server.
#[test]
fn h12_a_path_that_nobody_listed_on_a_listed_server_gets_no_secret() {
    let instance = RawServer::new(|_, stream| crate::harness::send(stream, 400, "", b"{}"));
    let serving = Serving::with(Provider::new(), |config| {
        let entry = format!(
            "base_allow = [{{ url = \"{}/wiki\", client_id = \"own\", client_secret = {{ file = \"{{dir}}/hs256\" }} }}]",
            instance.origin
        );
        config.replace("requiresPKCE", &format!("{entry}\nrequiresPKCE"))
    });
    let begin = |path: &str| serving.begin("ada", &mut Jar::default(), &format!("&baseUrl={}{path}", instance.origin));
    for path in ["", "/", "/evil", "/wiki2", "/wiki/../evil", "/wiki%252fevil", "/Wiki"] {
        assert_eq!("base_url_not_allowed", code(&begin(path)), "{path}");
    }
    let mut jar = Jar::default();
    let begun = serving.begin("ada", &mut jar, &format!("&baseUrl={}/wiki", instance.origin));
    let to = begun.field("location").unwrap_or_else(|| panic!("{begun:?}")).to_owned();
    assert!(to.starts_with(&format!("{}/wiki/authorize?", instance.origin)), "{to}");
    let back = crate::harness::target(&parameter(&to, "redirect_uri"));
    serving.finish(&jar, &format!("{back}?code=abc&state={}", parameter(&to, "state")));
    let requests = instance.requests();
    assert!(requests.iter().any(|request| request.starts_with("POST /wiki/token ")), "{requests:?}");
    assert!(requests.iter().all(|request| request.starts_with("POST /wiki/token ")), "{requests:?}");
}

#[test]
fn h12_a_request_without_its_one_host_is_refused() {
    let serving = Serving::new();
    for address in [serving.address(), serving.admin] {
        let ask = |target: &str, fields: &str| {
            http(address, &format!("GET {target} HTTP/1.1\r\n{fields}Connection: close\r\n\r\n")).status
        };
        let good = format!("Host: {address}\r\n");
        assert_eq!(200, ask("/healthz", &good));
        assert_eq!(200, ask(&format!("http://{address}/healthz"), &good), "absolute form (RFC 9112 section 3.2.2)");
        for (target, fields) in [
            ("/healthz".to_owned(), String::new()),
            ("/healthz".into(), format!("{good}{good}")),
            ("/healthz".into(), format!("{good}Host: evil.example\r\n")),
            ("/healthz".into(), "Host: a.example, evil.example\r\n".into()),
            ("/healthz".into(), "Host: user@a.example\r\n".into()),
            ("/healthz".into(), "Host: \r\n".into()),
            ("http://evil.example/healthz".into(), good.clone()),
            (format!("http://user@{address}/healthz"), good.clone()),
            (format!("http://{address}/healthz"), String::new()),
        ] {
            assert_eq!(400, ask(&target, &fields), "{target} {fields:?}");
        }
    }
}

#[test]
fn h12_what_weakens_the_service_is_reported_with_the_safer_line() {
    let (sandbox, port) = (Sandbox::new(), fixed_port());
    let shared = "https://id.example.com\"\nshared_namespace = true\naudience = \"a\"\nhs256 = { env = \"WEAK\" }\norg = \"o\"\n\n";
    let config = config(&Provider::new(), port)
        .replace(&format!("public_url = \"http://127.0.0.1:{port}\""), "public_url = \"https://connect.example.com\"")
        .replace(&format!("listen = \"127.0.0.1:{port}\""), &format!("listen = \"0.0.0.0:{port}\""))
        .replace(
            "admin = \"127.0.0.1:0\"",
            "admin = \"[::]:0\"\ntrusted_proxies = [\"0.0.0.0/0\", \"::/0\", \"10.0.0.0/8\"]",
        )
        .replace("requiresPKCE", "base_allow = [\"*\"]\nrequiresPKCE")
        .replace("service_scope", "shared_namespace = true\nservice_scope")
        .replace("[callbacks]", &format!("[[jwt]]\nissuer = \"{}[callbacks]", shared.replace("id.", "other.")));
    prepare(&sandbox, &config);
    let path = sandbox.path("loopin.toml");
    let checked = sandbox
        .loopin(&["serve", "check", "--config", path.to_str().expect("path")])
        .env("WEAK", "abababababababababababababababababab")
        .output()
        .expect("loopin runs");
    assert!(checked.status.success(), "{checked:?}");
    let said = String::from_utf8(checked.stdout).expect("text");
    for (what, remedy) in [
        (format!("listen = \"0.0.0.0:{port}\" accepts plain HTTP"), format!("write listen = \"127.0.0.1:{port}\"")),
        ("admin = \"[::]:0\" shows state".into(), "write admin = \"127.0.0.1:0\"".into()),
        ("trusted_proxies: 0.0.0.0/0 lets any client".into(), "trusted_proxies = [\"127.0.0.1\"]".into()),
        ("trusted_proxies: ::/0 lets any client".into(), "trusted_proxies = [\"127.0.0.1\"]".into()),
        ("[integration.wiki]: base_allow = [\"*\"]".into(), "list the instances".into()),
        ("[keys]: k1 repeats a few bytes".into(), "openssl rand -base64 32".into()),
        ("hs256 of https://other.example.com repeats".into(), "openssl rand -base64 48".into()),
        ("shared_namespace: a user of https://id.example.com".into(), "its own namespace".into()),
    ] {
        let line = said.lines().find(|line| line.contains(&what)).unwrap_or_else(|| panic!("{what}: {said}"));
        assert!(line.starts_with("Weaker than it could be: ") && line.contains(&remedy), "{line}");
    }
    assert!(!said.contains("10.0.0.0/8"), "{said}");

    let serving = Serving::new();
    let (finished, _) = serving.terminated();
    assert!(finished.stderr.contains("weaker than it could be: [keys]: k1 repeats a few bytes"), "{finished:?}");
}
