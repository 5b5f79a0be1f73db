//! docs/serve.md says what is so: its configuration starts, its words are the program's.

use super::*;

fn document() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/serve.md");
    std::fs::read_to_string(path).expect("docs/serve.md")
}

#[test]
fn the_complete_configuration_starts() {
    let document = document();
    let block = document.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a configuration");
    let text: String = block.lines().map(|line| format!("{}\n", line.strip_prefix("   ").unwrap_or(line))).collect();
    let (sandbox, port) = (Sandbox::new(), fixed_port());
    let directory = sandbox.path("").to_str().expect("path").trim_end_matches('/').to_owned();
    let text = text
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
        .replace("127.0.0.1:9090", "127.0.0.1:0")
        .replace("/var/lib/loopin", &directory)
        .replace("/etc/loopin/keys", &directory);
    std::fs::write(sandbox.path("loopin.toml"), text).expect("configuration");
    for (name, content) in
        [("k1", "p7ej3UZ6mYcTq0uFh1sXbKz2vN8rWd4LgJoVQyA5iEk=\n"), ("jwt", SECRET), ("gitlab", "secret")]
    {
        write_private(&sandbox.path(name), content.as_bytes());
    }
    let path = sandbox.path("loopin.toml").to_str().expect("path").to_owned();
    let checked = sandbox.run(&["serve", "check", "--config", &path]);
    checked.assert_code(0).assert_says("https://connect.example.com/api/v1/oauth2/gitlab/callback");
    assert!(!checked.said().contains("Weaker"), "{checked:?}");

    let serving = Serving::start(sandbox, Provider::new(), port);
    let begun = serving.get(&format!("{BASE}/gitlab/authorize?{}", wish("read")), &bearer(&token_of("ada", "acme")));
    let to = begun.field("location").unwrap_or_else(|| panic!("{begun:?}")).to_owned();
    assert!(to.starts_with("https://gitlab.com/oauth/authorize?"), "{to}");
    assert_eq!("https://connect.example.com/api/v1/oauth2/gitlab/callback", parameter(&to, "redirect_uri"));
}

#[test]
fn every_error_code_of_a_callback_is_in_the_document() {
    let document = document();
    for code in loopin::service::callback::Ending::CODES {
        assert!(document.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn every_code_of_a_problem_is_in_the_document() {
    let document = document();
    let source = include_str!("../../../src/service/problem.rs");
    let codes = source.split("pub fn code").nth(1).and_then(|rest| rest.split("fn detail").next()).expect("codes");
    let codes: Vec<_> = codes.split('"').skip(1).step_by(2).collect();
    assert!(codes.contains(&"connection_deleted"), "{codes:?}");
    for code in codes {
        assert!(document.contains(&format!("`{code}`")), "{code}");
    }
}

#[test]
fn who_has_not_made_a_file_yet_is_told_how() {
    let sandbox = Sandbox::new();
    let path = |name: &str| sandbox.path(name).to_str().expect("path").to_owned();
    let check = || sandbox.run(&["serve", "check", "--config", &path("loopin.toml")]);
    check().assert_code(3).assert_says("loopin.toml: no such file").assert_says("docs/serve.md");
    prepare(&sandbox, &config(&Provider::new(), 8080));
    for (name, make) in [("k1", "openssl rand -base64 32"), ("hs256", "openssl rand -base64 48")] {
        let aside = path("aside");
        std::fs::rename(path(name), &aside).expect("rename");
        check().assert_code(3).assert_says(&format!("(umask 077; {make} > '{}')", path(name)));
        std::fs::rename(&aside, path(name)).expect("rename");
    }
    check().assert_code(0);
}
