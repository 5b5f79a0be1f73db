//! Golden texts of the real docker (28.2), and input that is none of its. P04.

use proptest::prelude::*;

use super::*;

fn host(text: &str) -> Host {
    Host::parse(text).expect("a host")
}

#[test]
fn p04_get_answers_with_the_url_that_it_was_asked_for() {
    let url = ServerUrl::parse(include_bytes!("../../../tests/data/helper/docker-get.in")).expect("a URL");
    assert!(url.is_for(&host("registry.example.com")));
    let said = credentials(&url, &BasicUsername::default(), &Secret::new("the-token".into()));
    assert_eq!(include_str!("../../../tests/data/helper/docker-get.out"), said.expose());
}

#[test]
fn p04_a_registry_is_found_by_host_and_port_however_docker_writes_it() {
    let is_for = |url: &str, host: &Host| ServerUrl::parse(url.as_bytes()).is_ok_and(|url| url.is_for(host));
    for url in ["index.docker.io", "https://index.docker.io/v1/", "index.docker.io/library\n", " index.docker.io \r\n"]
    {
        assert!(is_for(url, &host("index.docker.io")), "{url:?}");
    }
    for url in [
        "http://index.docker.io/v1/",
        "index.docker.io.evil.example",
        "index.docker.io:443",
        "me@index.docker.io",
        "ftp://index.docker.io",
        "docker.io",
        "index.docker.io\nevil",
        "https://evil.example/index.docker.io",
    ] {
        assert!(!is_for(url, &host("index.docker.io")), "{url:?}");
    }
    assert!(is_for("127.0.0.1:5000", &host("http://127.0.0.1:5000")), "docker speaks http to loopback by itself");
}

#[test]
fn p04_errors_are_told_in_dockers_own_words() {
    assert_eq!("credentials not found in native keychain", DockerError::CredentialsNotFound.to_string());
    for (input, text) in [("", "no credentials server URL"), (" \n", "no credentials server URL")] {
        assert_eq!(text, ServerUrl::parse(input.as_bytes()).expect_err("refused").to_string());
    }
    for (input, text) in [
        (r#"{"ServerURL":"","Username":"me","Secret":"pw"}"#, "no credentials server URL"),
        (r#"{"Username":"me","Secret":"pw"}"#, "no credentials server URL"),
        (r#"{"ServerURL":"registry.example.com","Username":"","Secret":"pw"}"#, "no credentials username"),
    ] {
        assert_eq!(text, stored_for(input.as_bytes()).expect_err("refused").to_string(), "{input}");
    }
    assert!(stored_for(include_bytes!("../../../tests/data/helper/docker-store.in")).is_ok());
    assert_eq!("Usage: docker-credential-loopin <store|get|erase|list|version>", DockerError::NoAction.to_string());
    let unknown = Action::parse(Some("frob")).expect_err("unknown");
    assert_eq!("docker-credential-loopin: unknown action: frob", unknown.to_string());
}

#[test]
fn the_list_names_registries_and_users() {
    let (one, two, user) = (host("registry.example.com"), host("ghcr.io"), BasicUsername::default());
    assert_eq!("{}\n", list([].into_iter()));
    assert_eq!(
        "{\"ghcr.io\":\"oauth2\",\"registry.example.com\":\"oauth2\"}\n",
        list([(&one, &user), (&two, &user)].into_iter())
    );
    assert_eq!("{\n  \"credHelpers\": {\n    \"ghcr.io\": \"loopin\"\n  }\n}\n", setup([&two].into_iter()));
}

proptest! {
    // 10,000 by hand: PROPTEST_CASES=10000 cargo test --lib helper
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p04_whatever_is_read_the_answer_is_one_json_object_on_one_line(
        input in proptest::collection::vec(any::<u8>(), 0..60),
        text in "\\PC{0,40}",
        token in "[ -~]{0,40}|\\PC{0,20}",
    ) {
        for input in [input.as_slice(), text.as_bytes()] {
            let _ = stored_for(input);
            if let Ok(url) = ServerUrl::parse(input) {
                let said = credentials(&url, &BasicUsername::default(), &Secret::new(token.clone()));
                let line = said.expose().strip_suffix('\n').expect("a line");
                prop_assert!(!line.contains('\n'));
                let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
                prop_assert_eq!(Some(token.as_str()), value["Secret"].as_str());
            }
        }
    }
}
