//! A user logs in again, and the provider returns no refresh token this time.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Finished, Manner, NamedUsers, Provider, Sandbox};

struct Stage {
    sandbox: Sandbox,
    provider: Provider,
    users: NamedUsers,
}

const NONE: &[&str] = &["refresh_token"];

impl Stage {
    fn new() -> Self {
        let (provider, sandbox) = (Provider::new(), Sandbox::new());
        let users = NamedUsers::before(&provider);
        sandbox.configure(&users.configuration(&provider)(provider.explicit()));
        Self { sandbox, provider, users }
    }

    /// `subject` signs in; an empty one gets no id_token.
    fn log_in(&self, subject: &'static str, leaves_out: &'static [&'static str], arguments: &[&str]) -> Finished {
        let login = self.sandbox.login(arguments);
        self.users.answer(Manner { subject, nonce: login.parameter("nonce"), leaves_out });
        login.person().allow();
        let finished = login.finished();
        self.users.answer(Manner::default());
        finished
    }

    /// `refreshable` and `warnings` of a login.
    fn told(&self, subject: &'static str, leaves_out: &'static [&'static str]) -> (Value, Value) {
        let finished = self.log_in(subject, leaves_out, &["--json"]);
        let told = finished.assert_code(0).json();
        (told["refreshable"].clone(), told["warnings"].clone())
    }

    /// A caller's token was rejected.
    fn refreshed(&self) -> Finished {
        let token = self.sandbox.run(&["token", "work"]).assert_code(0).stdout.clone();
        let hash: String = Sha256::digest(token.trim()).iter().map(|byte| format!("{byte:02x}")).collect();
        self.sandbox.run(&["token", "work", "--rejected", &hash])
    }
}

#[test]
fn d18_the_same_user_logs_in_again_without_a_new_refresh_token_and_the_stored_one_is_kept() {
    let stage = Stage::new();
    assert_eq!(json!(true), stage.told("ada", &[]).0);
    let (refreshable, warnings) = stage.told("ada", NONE);
    assert_eq!((json!(true), false), (refreshable, warnings.to_string().contains("no_refresh_token")), "{warnings}");
    stage.refreshed().assert_code(0);
    stage.sandbox.run(&["status", "work"]).assert_code(0).assert_says("a refresh token is stored");
}

#[test]
fn d18_another_user_keeps_nothing_and_is_told_what_may_bring_a_refresh_token() {
    let stage = Stage::new();
    stage.told("ada", &[]);
    let (refreshable, warnings) = stage.told("bob", NONE);
    assert_eq!((json!(false), json!(["other_subject", "no_refresh_token"])), (refreshable, warnings));
    stage.refreshed().assert_code(4).assert_says("loopin login work");
    let login = stage.log_in("bob", NONE, &[]);
    login.assert_code(0).assert_says("no_refresh_token").assert_says("--scope offline_access");
}

#[test]
fn d18_what_the_login_left_out_is_named() {
    let stage = Stage::new();
    let text = std::fs::read_to_string(stage.sandbox.config()).expect("configuration");
    stage.sandbox.configure(&(text + "offline_params = { access_type = \"offline\", prompt = \"consent\" }\n"));
    let login = stage.log_in("ada", NONE, &["--prompt", "login"]);
    login.assert_code(0).assert_says("no_refresh_token").assert_says("to get one, log in with prompt=consent");
}

#[test]
fn d18_a_user_whom_nothing_names_keeps_no_refresh_token() {
    let stage = Stage::new();
    let text = std::fs::read_to_string(stage.sandbox.config()).expect("configuration");
    stage.sandbox.configure(&text.replace("[\"openid\"]", "[\"read\"]"));
    assert_eq!(json!(true), stage.told("", &[]).0);
    assert_eq!((json!(false), json!(["no_refresh_token"])), stage.told("", NONE));
}

#[test]
fn d18_a_refresh_token_that_the_provider_has_refused_is_not_kept() {
    let stage = Stage::new();
    stage.told("ada", &[]);
    stage.provider.forget();
    stage.refreshed().assert_code(4);
    assert_eq!((json!(false), json!(["no_refresh_token"])), stage.told("ada", NONE));
}

#[test]
fn d18_tokens_that_never_expire_need_no_refresh_token_and_no_warning() {
    let stage = Stage::new();
    assert_eq!((json!(false), json!([])), stage.told("ada", &["refresh_token", "expires_in"]));
}
