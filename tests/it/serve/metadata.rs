//! What a provider sends beside the tokens, for the applications of the service. D10.

use std::sync::{Arc, Mutex};

use super::*;
use crate::harness::{RawServer, json_reply};

const KEEP: &str = "keep_from_token = [\"instance_url\", \"team.id\"]\nkeep_from_callback = [\"realmId\", \"location\"]\n\
                    account_from = \"realmId\"\n";
const CANARY: &str = "canary-7d10";

/// A service whose provider adds these members to its token responses.
struct Stage {
    serving: Serving,
    adds: Arc<Mutex<Value>>,
    _server: RawServer,
}

impl Stage {
    fn new(lines: &str, adds: Value) -> Self {
        let provider = Provider::new();
        let adds = Arc::new(Mutex::new(adds));
        let seen = Arc::clone(&adds);
        let server = RawServer::before(&provider, move |reply| {
            let mut tokens: Value = serde_json::from_str(&reply.body).expect("tokens");
            for (name, value) in seen.lock().expect("members").as_object().expect("an object") {
                tokens[name] = value.clone();
            }
            json_reply(&tokens.to_string())
        });
        let other = server.as_token_endpoint_of(&provider);
        let keep = |config: String| other(config).replace("requiresPKCE", &format!("{lines}requiresPKCE"));
        Self { serving: Serving::with(provider, keep), adds, _server: server }
    }

    fn add(&self, members: Value) {
        *self.adds.lock().expect("members") = members;
    }

    /// Connects, with these parameters in the callback; the target that the browser was sent to.
    fn connect(&self, parameters: &str) -> (Jar, String) {
        let mut jar = Jar::default();
        let begun = self.serving.begin("ada", &mut jar, "");
        let target = self.serving.decided(&begun, "allow");
        assert_eq!(302, self.serving.finish(&jar, &format!("{target}{parameters}")).status);
        (jar, target)
    }

    fn token(&self) -> Value {
        let reply = self.serving.token("ada");
        assert_eq!(200, reply.status, "{reply:?}");
        json_of(&reply)
    }

    /// The one connection, as it is listed.
    fn listed(&self) -> Value {
        let fields = bearer(&token_of("ada", "acme"));
        let listed = json_of(&self.serving.get(&format!("{BASE}/connections"), &fields))["connections"][0].clone();
        let id = listed["id"].as_str().expect("an identifier");
        assert_eq!(listed, json_of(&self.serving.get(&format!("{BASE}/connections/{id}"), &fields)), "also by itself");
        listed
    }
}

#[test]
fn d10_what_comes_beside_the_tokens_is_given_with_the_token_and_in_lists_and_stays_over_refreshes() {
    let stage =
        Stage::new(KEEP, json!({ "instance_url": format!("https://{CANARY}.example"), "team": { "id": "T1" } }));
    stage.connect("&realmId=9130&location=eu&other=x");
    let first = json!({
        "instance_url": format!("https://{CANARY}.example"), "team.id": "T1", "realmId": "9130", "location": "eu",
    });
    for shown in [stage.token(), stage.listed()] {
        assert_eq!((&first, &json!("9130"), &json!([])), (&shown["metadata"], &shown["account"], &shown["missing"]));
    }
    let files = stage.serving.sandbox.files();
    let readable = |content: &[u8]| content.windows(CANARY.len()).any(|bytes| bytes == CANARY.as_bytes());
    assert!(files.iter().any(|(path, _)| path.ends_with("loopin.db")));
    assert!(!files.iter().any(|(_, content)| readable(content)), "the database has it encrypted");

    stage.add(json!({ "instance_url": "https://two.example" }));
    stage.serving.age();
    let mut refreshed = first;
    refreshed["instance_url"] = "https://two.example".into();
    let token = stage.token();
    assert_eq!((json!(true), &refreshed), (token["refreshed"].clone(), &token["metadata"]));
    assert_eq!(refreshed, stage.listed()["metadata"]);
    assert_eq!(refreshed, stage.token()["metadata"]);

    stage.add(json!({}));
    stage.connect("&realmId=9131");
    let again = stage.token();
    assert_eq!((json!({ "realmId": "9131" }), json!("9131")), (again["metadata"].clone(), again["account"].clone()));
}

#[test]
fn d10_a_connection_from_before_has_none_and_a_damaged_one_hides_no_other() {
    let stage = Stage::new(KEEP, json!({}));
    stage.connect("&realmId=9130");
    let set = |value: &str| {
        stage.serving.database().execute(&format!("UPDATE connection SET metadata = {value}"), []).expect("written");
    };
    set("x'01'");
    assert_eq!((json!(null), json!(null)), (stage.listed()["metadata"].clone(), stage.listed()["account"].clone()));
    let reply = stage.serving.token("ada");
    assert_eq!((500, "unreadable"), (reply.status, &*code(&reply)));
    set("NULL");
    for shown in [stage.token(), stage.listed()] {
        assert_eq!((&json!({}), &json!(null)), (&shown["metadata"], &shown["account"]));
    }
}

#[test]
fn d10_only_the_callback_that_makes_the_connection_leaves_values() {
    let stage = Stage::new(KEEP, json!({}));
    let (jar, target) = stage.connect("&realmId=9130&realmId=9131&location=eu");
    let expected = json!({ "location": "eu" });
    assert_eq!(expected, stage.token()["metadata"], "a parameter that occurs twice has no value");
    assert_error(&stage.serving.finish(&jar, &format!("{target}&realmId=evil")), "state_replayed");
    let mut other = Jar::default();
    let begun = stage.serving.begin("ada", &mut other, "");
    let target = stage.serving.decided(&begun, "allow");
    assert_error(&stage.serving.finish(&Jar::default(), &format!("{target}&realmId=evil")), "browser_mismatch");
    let begun = stage.serving.begin("ada", &mut other, "");
    let denied = stage.serving.decided(&begun, "deny");
    assert_error(&stage.serving.finish(&other, &format!("{denied}&realmId=evil")), "access_denied");
    assert_eq!(expected, stage.token()["metadata"]);
}

#[test]
fn d10_a_posted_response_brings_its_values_to_the_callback() {
    let stage = Stage::new(&format!("{KEEP}response_mode = \"form_post\"\n"), json!({}));
    let mut jar = Jar::default();
    let begun = stage.serving.begin("ada", &mut jar, "");
    let target = stage.serving.decided(&begun, "allow");
    let (path, form) = target.split_once('?').expect("query");
    let fields = "Content-Type: application/x-www-form-urlencoded\r\n";
    let reply = stage.serving.request("POST", path, fields, &format!("{form}&realmId=9130&user=Ada"));
    let own = crate::harness::target(reply.field("location").expect("location"));
    assert!(!own.contains("user="), "{own}");
    assert_success(&stage.serving.finish(&jar, &own));
    assert_eq!(json!({ "realmId": "9130" }), stage.token()["metadata"]);
}

#[test]
fn d10_what_a_connection_lacks_is_listed() {
    let stage = Stage::new("", json!({ "scope": "base write" }));
    let mut jar = Jar::default();
    let begun = stage.serving.begin("ada", &mut jar, "");
    let reply = stage.serving.finish(&jar, &stage.serving.decided(&begun, "allow"));
    assert!(reply.field("location").expect("location").contains("status=success"), "{reply:?}");
    assert_eq!(json!(["read"]), stage.listed()["missing"]);
}

#[test]
fn d10_the_server_that_the_callback_chooses_gets_the_code_the_refresh_and_the_revocation() {
    let provider = Provider::new();
    let two = RawServer::before(&provider, |reply| json_reply(&reply.body));
    let evil = RawServer::before(&provider, |reply| json_reply(&reply.body));
    let servers = format!(
        "token_servers = {{ parameter = \"accounts-server\", origins = [\"{}\", \"{}\"] }}\nrequiresPKCE",
        provider.origin, two.origin
    );
    let serving = Serving::with(provider, |config| config.replace("requiresPKCE", &servers));
    let connect = |server: &str| {
        let mut jar = Jar::default();
        let begun = serving.begin("ada", &mut jar, "");
        let target = serving.decided(&begun, "allow");
        serving.finish(&jar, &format!("{target}&accounts-server={server}"))
    };
    assert_error(&connect(&evil.origin), "issuer_mismatch");
    assert_eq!((0, 0), (two.requests().len(), evil.requests().len()));
    let id = assert_success(&connect(&two.origin));
    serving.age();
    assert_eq!(json!(true), json_of(&serving.token("ada"))["refreshed"]);
    let deleted = serving.request("DELETE", &format!("{BASE}/connections/{id}"), &bearer(&token_of("ada", "acme")), "");
    assert_eq!(json!("yes"), json_of(&deleted)["revoked"], "{deleted:?}");
    let places: Vec<_> = two.requests().iter().map(|r| r.split(' ').nth(1).expect("a path").to_owned()).collect();
    assert_eq!(["/token", "/token", "/revoke"], places[..]);
    assert_eq!(0, evil.requests().len());
}
