//! `integration set`, and `add` a second time: what is in the file changes in its place. T03, T14.

use std::fs;

use super::{ISSUER, add, config, run_with_input};
use crate::harness::{RawServer, Sandbox, TOKENS};

#[test]
fn t03_the_same_add_again_changes_nothing_and_another_one_is_told_how_to_change_it() {
    let sandbox = Sandbox::new();
    add(&sandbox, &["--scope", "openid"]).assert_code(0);
    let before = config(&sandbox);
    add(&sandbox, &["--scope", "openid"]).assert_code(0).assert_says("next: loopin login work\n");
    assert_eq!(before, config(&sandbox));
    let other = add(&sandbox, &["--scope", "openid email"]);
    other.assert_code(3).assert_says("integration \"work\" already exists, with other fields");
    other.assert_says("loopin integration set work").assert_says("--scope 'openid email' --replace");
    assert_eq!(before, config(&sandbox));
    add(&sandbox, &["--scope", "openid email", "--replace"]).assert_code(0);
    assert_eq!(before.replace("[\"openid\"]", "[\"openid\", \"email\"]"), config(&sandbox));
}

#[test]
fn t03_single_fields_are_set_and_unset_while_comments_and_order_stay() {
    let sandbox = Sandbox::new();
    let mine = "# mine\n[integration.work] # w\nclient_id = 'me' # id\nissuer = \"https://op.example\"\n\
                relay = \"https://acme.example/cb\" # r\n# end\n";
    sandbox.configure(mine);
    let set = |arguments: &[&str]| sandbox.run(&[&["integration", "set", "work"], arguments].concat());
    set(&["--client-id", "you", "--unset", "relay"]).assert_code(0).assert_says("changed work in");
    let without_relay = mine.replace("relay = \"https://acme.example/cb\" # r\n", "");
    assert_eq!(without_relay.replace("'me'", "\"you\""), config(&sandbox));
    set(&["--scope", "a b", "--redirect-uri", "http://127.0.0.1:8080/cb"]).assert_code(0);
    let shown = sandbox.run(&["integration", "show", "work"]);
    shown.assert_says("a b").assert_says("http://127.0.0.1:8080/cb").assert_says("you");
    let before = config(&sandbox);
    for (arguments, says) in [
        (["--unset", "relay"].as_slice(), "has no relay"),
        (&["--unset", "clientid"], "did you mean client_id?"),
        (&["--unset", "client_id"], "client_id is missing"),
        (&["--redirect-uri", "http://127.0.0.1/callback"], "the redirect URI has no port"),
        (&["--scope", "openid,email"], "--scope openid --scope email"),
    ] {
        set(arguments).assert_code(3).assert_says(says);
        assert_eq!(before, config(&sandbox));
    }
    sandbox.run(&["integration", "set", "wrok", "--client-id", "x"]).assert_code(3).assert_says("did you mean work?");
}

#[test]
fn t03_a_redirect_or_a_scope_that_a_login_could_not_use_is_refused_when_it_is_added() {
    let sandbox = Sandbox::new();
    let refused = add(&sandbox, &["--redirect-uri", "http://127.0.0.1/callback"]);
    refused
        .assert_code(3)
        .assert_says("redirect_uri: the redirect URI has no port; write :0 for any port, or the port");
    refused.assert_says("--redirect-uri http://127.0.0.1:0/callback");
    add(&sandbox, &["--scope", "openid,email"]).assert_code(3).assert_says("is one scope with a comma in it");
    assert!(!sandbox.config().exists());
}

#[test]
fn t03_a_client_secret_is_changed_and_taken_out_again() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let set = ["integration", "set", "work", "--secret-stdin"];
    run_with_input(&sandbox, &set, b"canary-secret").assert_code(0);
    sandbox.log_in(&[]).assert_code(0);
    assert!(server.requests()[0].to_ascii_lowercase().contains("authorization: basic"));
    sandbox.run(&["logout", "work"]).assert_code(0);
    sandbox.run(&["integration", "set", "work", "--unset", "client_secret"]).assert_code(0);
    assert_eq!(Vec::<String>::new(), sandbox.stored(), "it is in the store no more");
}

#[cfg(target_os = "linux")]
#[test]
fn t03_on_a_terminal_the_registration_is_shown_before_the_client_and_the_scopes_are_asked_for() {
    use std::{io::Write, process::Stdio};

    use crate::harness::Finished;
    let sandbox = Sandbox::new();
    let line = "exec script -qec \"$1 integration add work --store file\" /dev/null";
    let mut child = sandbox.shell(line, &[]).stdin(Stdio::piped()).spawn().expect("script");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"https://op.example\nme\nopenid email\n").expect("typed");
    let finished = Finished::new(child.wait_with_output().expect("ends"));
    finished.assert_code(0).assert_says("Scopes, separated by spaces");
    let said = finished.said();
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("\"{text}\": {said}"));
    assert!(at("native or desktop application") < at("Client identifier"));
    assert!(at("enter this redirect URI: http://127.0.0.1:0/callback/work") < at("Client identifier"));
    assert!(config(&sandbox).contains("scopes = [\"openid\", \"email\"]"), "{}", config(&sandbox));
}

#[cfg(unix)]
#[test]
fn t14_a_link_to_a_file_that_is_not_there_yet_stays_a_link() {
    let sandbox = Sandbox::new();
    let target = sandbox.path("dotfiles").join("loopin.toml");
    std::os::unix::fs::symlink("dotfiles/loopin.toml", sandbox.config()).expect("link");
    add(&sandbox, &[]).assert_code(0);
    assert!(fs::symlink_metadata(sandbox.config()).expect("link").is_symlink());
    assert!(fs::read_to_string(target).expect("target").contains("[integration.work]"));
    let circle = sandbox.path("circle.toml");
    std::os::unix::fs::symlink("circle.toml", &circle).expect("link");
    let arguments = ["integration", "add", "work", "--issuer", ISSUER, "--client-id", "me", "--config"];
    let refused = sandbox.run(&[&arguments[..], &[circle.to_str().expect("path")]].concat());
    refused.assert_code(3).assert_says("circle.toml");
}

#[test]
fn t14_the_line_ends_of_the_users_file_are_kept_by_every_change() {
    let sandbox = Sandbox::new();
    let mine = "# mine\r\n[integration.a]\r\nissuer = \"https://a.example\" # here\r\nclient_id = 'x'\r\n";
    sandbox.configure(mine);
    add(&sandbox, &[]).assert_code(0);
    let added = config(&sandbox);
    assert!(added.starts_with(mine) && !added.replace("\r\n", "").contains('\n'), "{added:?}");
    sandbox.run(&["integration", "set", "a", "--client-id", "y"]).assert_code(0);
    assert!(config(&sandbox).starts_with(&mine.replace("'x'", "\"y\"")), "{:?}", config(&sandbox));
    sandbox.run(&["integration", "remove", "work"]).assert_code(0);
    assert_eq!(mine.replace("'x'", "\"y\""), config(&sandbox));
}

#[test]
fn t14_a_file_in_utf_16_is_named_with_the_command_that_converts_it() {
    let sandbox = Sandbox::new();
    let utf16: Vec<u8> = "\u{feff}[integration.a]\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&utf16[..], &utf16[2..]] {
        fs::write(sandbox.config(), bytes).expect("file");
        let status = sandbox.run(&["status"]);
        status
            .assert_code(3)
            .assert_says("the text is UTF-16, and TOML is UTF-8")
            .assert_says("iconv -f UTF-16 -t UTF-8");
    }
}
