//! A user connects again, and the provider returns no refresh token this time.

use super::*;
use crate::harness::{Manner, NamedUsers};

/// A provider whose id_tokens name a user.
struct Stage {
    serving: Serving,
    users: NamedUsers,
}

impl Stage {
    fn new() -> Self {
        let provider = Provider::new();
        let users = NamedUsers::before(&provider);
        let configuration = users.configuration(&provider);
        Self { serving: Serving::with(provider, configuration), users }
    }

    /// The user `ada` of the application connects the account of `subject`.
    fn connect(&self, subject: &'static str, leaves_out: &'static [&'static str]) -> Reply {
        let mut jar = Jar::default();
        let begun = self.serving.begin("ada", &mut jar, "");
        let nonce = parameter(begun.field("location").expect("location"), "nonce");
        self.users.answer(Manner { subject, nonce, leaves_out });
        let target = self.serving.decided(&begun, "allow");
        let reply = self.serving.finish(&jar, &target);
        // Refreshes bring no id_token.
        self.users.answer(Manner::default());
        reply
    }

    fn warning(reply: &Reply) -> String {
        assert_success(reply);
        parameter(reply.field("location").expect("location"), "warning")
    }

    /// `refreshable` in the list and in the token's response.
    fn refreshable(&self) -> (Value, Value) {
        let list = self.serving.get(&format!("{BASE}/connections"), &bearer(&token_of("ada", "acme")));
        let token = self.serving.token("ada");
        assert_eq!(200, token.status, "{token:?}");
        (json_of(&list)["connections"][0]["refreshable"].clone(), json_of(&token)["refreshable"].clone())
    }
}

const NONE: &[&str] = &["refresh_token"];

#[test]
fn d18_the_same_user_connects_again_without_a_new_refresh_token_and_the_connection_stays_refreshable() {
    let stage = Stage::new();
    assert_eq!("", Stage::warning(&stage.connect("a", &[])));
    assert_eq!("", Stage::warning(&stage.connect("a", NONE)));
    assert_eq!((json!(true), json!(true)), stage.refreshable());
    stage.serving.age();
    let reply = stage.serving.token("ada");
    assert_eq!((200, json!(true)), (reply.status, json_of(&reply)["refreshed"].clone()), "{reply:?}");
}

#[test]
fn d18_another_user_connects_without_a_refresh_token_and_the_application_is_told() {
    let stage = Stage::new();
    assert_success(&stage.connect("a", &[]));
    assert_eq!("no_refresh_token", Stage::warning(&stage.connect("b", NONE)));
    assert_eq!((json!(false), json!(false)), stage.refreshable());
    stage.serving.age();
    let reply = stage.serving.token("ada");
    assert_eq!((409, json!("no_refresh_token")), (reply.status, json_of(&reply)["reason"].clone()), "{reply:?}");
}

#[test]
fn d18_tokens_that_never_expire_need_no_refresh_token_and_no_warning() {
    let stage = Stage::new();
    assert_eq!("", Stage::warning(&stage.connect("a", &["refresh_token", "expires_in"])));
    assert_eq!((json!(false), json!(false)), stage.refreshable());
}

#[test]
fn d10_the_account_is_the_subject_where_no_field_identifies_it() {
    let stage = Stage::new();
    assert_success(&stage.connect("a", &[]));
    assert_eq!(json!("a"), json_of(&stage.serving.token("ada"))["account"]);
    let list = stage.serving.get(&format!("{BASE}/connections"), &bearer(&token_of("ada", "acme")));
    assert_eq!(json!("a"), json_of(&list)["connections"][0]["account"]);
}
