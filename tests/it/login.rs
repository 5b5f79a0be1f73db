//! `loopin login`, then `token`, `status`, `logout`: the main way and the ways that end it.

use crate::harness::{Provider, Sandbox};

mod again;

#[test]
fn a_login_stores_a_token_that_token_prints_and_logout_revokes() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let login = sandbox.login(&[]);
    let page = login.person().allow();
    assert!(page.body.contains("You are signed in"), "{page:?}");
    login.finished().assert_code(0).assert_says("signed in to work");

    let token = sandbox.run(&["token", "work"]);
    token.assert_code(0);
    assert!(token.stdout.starts_with("access.") && token.stdout.ends_with('\n'), "{token:?}");
    assert_eq!("", token.stderr, "nothing but the token");
    assert_eq!(token.stdout, sandbox.run(&["token"]).stdout, "the only integration needs no name");

    sandbox.run(&["status", "work"]).assert_code(0).assert_says("a refresh token is stored");
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("revoked at the provider");
    assert_eq!(2, provider.counters().revoke, "the refresh token and the access token");
    sandbox.run(&["token", "work"]).assert_code(4).assert_says("loopin login work");
    sandbox.run(&["status", "work"]).assert_code(4);
}

#[test]
fn with_explicit_endpoints_a_login_costs_exactly_two_requests() {
    let provider = Provider::new();
    let sandbox = Sandbox::new();
    sandbox.configure(&provider.explicit());
    let login = sandbox.login(&[]);
    login.person().allow();
    login.finished().assert_code(0);
    let counters = provider.counters();
    assert_eq!((1, 1, 0), (counters.authorize, counters.token, counters.metadata));
}

#[test]
fn the_version_is_the_same_however_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let version = concat!("loopin ", env!("CARGO_PKG_VERSION"), "\n");
    for arguments in [&["--version"][..], &["-V"], &["-v", "--version"]] {
        assert_eq!(version, sandbox.run(arguments).assert_code(0).stdout, "{arguments:?}");
    }
}
