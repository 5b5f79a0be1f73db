use super::*;

const GOOD: &str = r#"
[server]
public_url = "https://connect.example.com"
[store]
url = "sqlite:///var/lib/loopin/loopin.db"
[keys]
current = "k1"
k1 = { file = "/run/keys/k1" }
[callbacks]
allow = ["https://app.example.com/oauth/"]
[[jwt]]
issuer = "https://id.example.com"
audience = "loopin"
jwks_url = "https://id.example.com/jwks"
org = "org_id"
[integration.wiki]
issuer = "https://as.example.com"
client_id = "a"
requiresPKCE = true
"#;

#[track_caller]
fn refused(text: &str) -> String {
    Config::parse(text).expect_err("it has a fault").to_string()
}

#[test]
fn v05_every_integration_has_a_redirect_of_its_own_below_public_url() {
    let config = Config::parse(GOOD).expect("good");
    let redirect = |name: &str| {
        let redirect = config.public_url.redirect(&IntegrationName::parse(name).expect("name"), None);
        redirect.expect("redirect").as_str().to_owned()
    };
    assert_eq!("https://connect.example.com/api/v1/oauth2/wiki/callback", redirect("wiki"));
    assert_ne!(redirect("wiki"), redirect("play"));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (from, to, line, says) in [
        ("https://connect.example.com", "http://connect.example.com", 3, "public_url"),
        ("https://connect.example.com", "https://connect.example.com?x", 3, "public_url"),
        ("sqlite:///", "mysql:///", 5, "[store]: url"),
        ("sqlite:///", "sqlite://", 5, "a whole path"),
        ("current = \"k1\"", "current = \"k2\"", 7, "there is no key of that name"),
        ("{ file = \"/run/keys/k1\" }", "\"c2VjcmV0\"", 8, "a key never stands in this file"),
        ("https://app.example.com/oauth/", "http://app.example.com/oauth/", 10, "allow: it is http"),
        ("client_id", "client_ids", 18, "unknown field"),
        ("requiresPKCE = true", "requiresPKCE = true\ncode_challenge_method = \"off\"", 16, "contradict"),
        ("[store]", "listen = \"nowhere\"\n[store]", 4, "listen: not an address"),
        ("[store]", "trusted_proxies = [\"10.0.0.1/8\"]\n[store]", 4, "trusted_proxies"),
        ("[store]", "session_cookie = \"a b\"\n[store]", 4, "session_cookie"),
        ("[store]", "connections = 0\n[store]", 4, "connections"),
        ("[store]", "state_mode = \"open\"\n[store]", 4, "unknown variant"),
        ("[store]", "[limits]\nstarts_per_minute = 0\n[store]", 5, "[limits]: starts_per_minute: 0 is out of bounds"),
        ("[store]", "[limits]\nforced_refresh_s = 3601\n[store]", 5, "[limits]: forced_refresh_s: 3601 is out of"),
        ("[store]", "[limits]\nstarts_per_minute = -1\n[store]", 5, "invalid value"),
        ("[store]", "[limits]\nstarts_per_hour = 1\n[store]", 5, "unknown field"),
    ] {
        let said = refused(&GOOD.replacen(from, to, 1));
        assert!(said.starts_with(&format!("line {line}, ")) && said.contains(says), "{to}: {said}");
    }
}

#[test]
fn what_is_missing_is_named() {
    assert!(
        refused(&GOOD.replace("[callbacks]\nallow = [\"https://app.example.com/oauth/\"]\n", ""))
            .contains("[callbacks]")
    );
    assert!(refused(GOOD.split("[integration").next().expect("text")).contains("no integration"));
    let keychain = GOOD.replace("client_id", "client_secret = { keychain = true }\nclient_id");
    assert!(refused(&keychain).contains("no keychain"));
    assert!(refused(&GOOD.replace("integration.wiki", "integration.\"..\"")).contains("is not a name"));
}

#[test]
fn a_choice_that_takes_a_guard_away_is_said() {
    assert!(Config::parse(GOOD).expect("good").weaknesses().is_empty());
    let weak = GOOD.replace("https://connect.example.com\"", "http://127.0.0.1:8080\"\nquery_token = \"redirect\"");
    assert_eq!(2, Config::parse(&weak).expect("good").weaknesses().len());
}
