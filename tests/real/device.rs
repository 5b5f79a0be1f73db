//! `loopin login --how device` against oidc-provider, whose user is at another device.

use std::{
    process::{Child, Command},
    sync::mpsc::Receiver,
};

use crate::harness::{Finished, IN_FILES, PATIENCE, Provider, Sandbox, installed, lines, on_another_device};

/// A login that shows its code.
struct Waiting {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Waiting {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("loopin starts");
        let stderr = child.stderr.take().expect("piped");
        Self { child, lines: lines(stderr), said: Vec::new() }
    }

    /// The next line that is shown by itself: the page, the code, the page with the code.
    fn shown(&mut self) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no more: {:#?}", self.said));
            self.said.push(line.clone());
            if let Some(shown) = line.strip_prefix("  ") {
                return shown.to_owned();
            }
        }
    }

    fn finished(mut self) -> Finished {
        let output = self.child.wait_with_output().expect("loopin ends");
        self.said.extend(self.lines.iter());
        let mut finished = Finished::new(output);
        finished.stderr = self.said.join("\n");
        finished
    }
}

fn configured(provider: &Provider, scope: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}{IN_FILES}", provider.discovered_with(scope)));
    sandbox
}

fn login(sandbox: &Sandbox, arguments: &[&str]) -> Waiting {
    Waiting::start(sandbox.loopin(&[&["login", "work", "--how", "device", "--timeout", "90s"], arguments].concat()))
}

#[test]
fn a_user_enters_the_code_on_another_device_and_the_login_stores_tokens_of_the_provider() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = configured(&provider, "openid\", \"offline_access\", \"read");
    let mut waiting = login(&sandbox, &[]);
    let (page, code) = (waiting.shown(), waiting.shown());
    assert_eq!(format!("{}/device", provider.issuer), page);
    let last = on_another_device(&page, &code, &[]);
    last.assert_code(0).assert_says("Sign-in Success");
    waiting.finished().assert_code(0).assert_says("signed in to work").assert_says("a refresh token is stored");
    assert!(provider.takes(sandbox.run(&["token", "work"]).token()), "the token is the provider's own");
    sandbox.run(&["logout", "work"]).assert_code(0).assert_says("the tokens are revoked at the provider");
}

#[test]
fn the_page_that_has_the_code_in_it_is_as_good() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = configured(&provider, "read");
    let mut waiting = login(&sandbox, &[]);
    let (_, code, complete) = (waiting.shown(), waiting.shown(), waiting.shown());
    assert!(complete.ends_with(&format!("/device?user_code={code}")), "{complete}");
    on_another_device(&complete, "", &[]).assert_code(0).assert_says("Sign-in Success");
    waiting.finished().assert_code(0);
}

#[test]
fn x18_a_user_who_refuses_on_the_other_device_ends_the_login() {
    let Some(provider) = Provider::start() else { return };
    let sandbox = configured(&provider, "read");
    let mut waiting = login(&sandbox, &[]);
    let (page, code) = (waiting.shown(), waiting.shown());
    on_another_device(&page, &code, &["--deny"]);
    waiting.finished().assert_code(5).assert_says("access_denied").assert_says("loopin login work --how device");
    sandbox.run(&["token", "work"]).assert_code(4);
}

#[test]
fn x18_a_code_that_nobody_enters_expires() {
    let Some(provider) = Provider::with_device_codes_of(2) else { return };
    let sandbox = configured(&provider, "read");
    login(&sandbox, &[]).finished().assert_code(6).assert_says("loopin login work --how device");
    assert_eq!(0, provider.count("grant urn:ietf:params:oauth:grant-type:device_code"));
}

#[test]
fn a_terminal_that_is_large_enough_shows_a_qr_code_and_a_small_one_does_not() {
    let (Some(()), Some(provider)) = (installed(&["script", "stty"], &[]), Provider::with_device_codes_of(2)) else {
        return;
    };
    let sandbox = configured(&provider, "read").with("TERM", "xterm-256color").with("LANG", "C.UTF-8");
    let shown = |size: &str, sandbox: &Sandbox| {
        let loopin = sandbox.loopin(&[]);
        let login = format!("stty {size}; exec '{}' login work --how device", loopin.get_program().display());
        let mut command = Command::new("script");
        command.args(["-qec", &login, "/dev/null"]).env_clear();
        command.envs(loopin.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let finished = Finished::new(command.output().expect("script runs"));
        finished.assert_code(6);
        finished.stdout
    };
    let large = shown("rows 60 cols 120", &sandbox);
    assert!(large.contains('\u{2580}') && large.contains("Enter the code only if"), "{large}");
    assert!(large.contains("0:0"), "the time left is shown below it: {large}");
    for small in ["rows 24 cols 120", "rows 60 cols 30"] {
        let shown = shown(small, &sandbox);
        assert!(!shown.contains('\u{2580}') && shown.contains("/device"), "{small}: {shown}");
    }
    let ascii = sandbox.with("LANG", "C");
    assert!(!shown("rows 60 cols 120", &ascii).contains('\u{2580}'));
}
