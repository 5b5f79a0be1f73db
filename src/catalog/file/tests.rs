//! The configuration file as people write it, and what it says when they write it wrong.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::catalog::{ActionName, Place, UnknownName};

/// A table that lacks nothing, with these lines added.
fn work(lines: &str) -> String {
    format!("[integration.work]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n{lines}\n")
}

fn parse(text: &str) -> Integration {
    Catalog::parse(text).expect("a good file").get("work").expect("work").clone()
}

fn error(text: &str) -> CatalogError {
    match Catalog::parse(text) {
        Err(error) => error,
        Ok(_) => panic!("accepted:\n{text}"),
    }
}

fn place(line: usize, column: usize) -> Option<Place> {
    Some(Place { line, column })
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).expect("scopes")
}

fn action(name: &str) -> ActionName {
    ActionName::parse(name).expect("name")
}

/// Everything a person or a log could see of an error.
fn shown(error: &CatalogError) -> String {
    format!("{error} {error:?} {:?}", error.remedy)
}

#[test]
fn a_full_table_is_read_key_by_key() {
    let integration = parse(
        r#"
        # tokens for work
        [integration.work]
        authorization_endpoint = "https://git.acme.example/oauth/authorize"
        token_endpoint = "https://git.acme.example/oauth/token"
        revocation_endpoint = "https://git.acme.example/oauth/revoke"
        issuer = "https://git.acme.example"
        client_id = "me"
        client_secret = { keychain = true }
        token_endpoint_auth_method = "client_secret_post"
        redirect_uri = "http://127.0.0.1:0/callback"
        scopes = ["openid"]
        code_challenge_method = "S256"
        params = { access_type = "offline" }
        store = "file"
        store_key = { file = "/keys/loopin" }
        [integration.work.actions]
        "read" = ["read_api"]
        "write" = ["api", "openid"]
        "#,
    );
    let endpoint = |path: &str| Endpoint::parse(&format!("https://git.acme.example/oauth/{path}")).expect("endpoint");
    let issuer = Issuer::parse("https://git.acme.example").expect("issuer");
    assert_eq!("work", integration.name.as_str());
    assert_eq!(
        Server::explicit(endpoint("authorize"), endpoint("token"), Some(endpoint("revoke")), Some(issuer)),
        integration.server
    );
    assert_eq!("me", integration.client_id.as_str());
    assert_eq!(Some(SecretSource::Store), integration.client_secret);
    assert_eq!(AuthenticationMethod::Post, integration.authentication_method);
    assert_eq!(
        ["http://127.0.0.1:0/callback"],
        *integration.redirects.iter().map(RegisteredRedirect::as_str).collect::<Vec<_>>()
    );
    assert_eq!(scopes("openid"), integration.scopes);
    assert_eq!(
        BTreeMap::from([(action("read"), scopes("read_api")), (action("write"), scopes("api openid"))]),
        integration.actions
    );
    assert_eq!((Pkce::S256, PkcePromise::Stated), (integration.pkce, integration.pkce_promise));
    let mut extra = ExtraParameters::default();
    extra.add("access_type", "offline").expect("added");
    assert_eq!(extra, integration.extra);
    assert_eq!(StoreKind::File, integration.store);
    assert_eq!(Some(Path::new("/keys/loopin")), integration.store_key.as_deref());
}

#[test]
fn what_is_left_out_has_the_safe_default() {
    let integration = parse(&work(""));
    assert_eq!(Server::Discovered(Issuer::parse("https://op.example").expect("issuer")), integration.server);
    assert_eq!(None, integration.client_secret);
    assert_eq!(AuthenticationMethod::Basic, integration.authentication_method);
    assert_eq!(
        ["http://127.0.0.1:0/callback"],
        *integration.redirects.iter().map(RegisteredRedirect::as_str).collect::<Vec<_>>()
    );
    assert!(integration.scopes.is_empty() && integration.actions.is_empty());
    assert_eq!((Pkce::S256, PkcePromise::Preferred), (integration.pkce, integration.pkce_promise));
    assert_eq!((StoreKind::Keychain, None), (integration.store, integration.store_key));
    assert_eq!(0, Catalog::parse("").expect("empty").iter().len());
}

#[test]
fn pkce_is_off_required_or_stated_as_written() {
    for (lines, expected) in [
        ("code_challenge_method = \"off\"", (Pkce::Off, PkcePromise::Stated)),
        ("code_challenge_method = \"S256\"", (Pkce::S256, PkcePromise::Stated)),
        ("require_pkce = true", (Pkce::S256, PkcePromise::Required)),
        ("require_pkce = true\ncode_challenge_method = \"S256\"", (Pkce::S256, PkcePromise::Required)),
    ] {
        let integration = parse(&work(lines));
        assert_eq!(expected, (integration.pkce, integration.pkce_promise), "{lines}");
    }
    for never in ["plain", "s256", ""] {
        assert_eq!(place(4, 25), error(&work(&format!("code_challenge_method = \"{never}\""))).place, "{never}");
    }
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_name() {
    for (text, at, nearest) in [
        (work("redirect_url = \"x\""), place(4, 1), Some("did you mean redirect_uri?")),
        (work("scope = [\"a\"]"), place(4, 1), Some("did you mean scopes?")),
        (work("  client_secrt = 1"), place(4, 3), Some("did you mean client_secret?")),
        (work("insist_on_localhos = true"), place(4, 1), Some("did you mean insist_on_localhost?")),
        (work("something_else_altogether = 1"), place(4, 1), None),
        (work("store_key = { fiel = \"x\" }"), place(4, 15), Some("did you mean file?")),
        ("\n\n[integrations.work]\nclient_id = \"me\"\n".into(), place(3, 2), Some("did you mean integration?")),
    ] {
        let error = error(&text);
        assert_eq!((at, nearest), (error.place, error.remedy.as_deref()), "{text}{error}");
        assert!(error.what.starts_with("unknown field `"), "{error}");
    }
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let text = "[integration.work]\nissuer = \"https://op.example\"\nclient_id = \"me\"\nparams = { \"é€😀\" = \"x\", state = \"y\" }\n";
    assert_eq!(place(4, 25), error(text).place);
}

#[test]
fn a_value_of_another_type_is_told_with_its_place() {
    for (lines, at) in [
        ("scopes = \"openid\"", place(4, 10)),
        ("scopes = [\"a\", 7]", place(4, 16)),
        ("actions = [\"read\"]", place(4, 11)),
        ("redirect_uri = 7", place(4, 16)),
        ("insist_on_localhost = \"yes\"", place(4, 23)),
        ("require_pkce = 1", place(4, 16)),
        ("store = \"keyring\"", place(4, 9)),
        ("store_key = \"x\"", place(4, 13)),
        ("token_endpoint_auth_method = \"none\"", place(4, 30)),
        ("revocation_endpoint = true", place(4, 23)),
    ] {
        let error = error(&work(lines));
        assert_eq!(at, error.place, "{lines}: {error}");
    }
    assert_eq!(place(1, 15), error("integration = 7").place);
    assert_eq!(place(1, 1), error("[[integration]]").place.map(|p| Place { column: 1, ..p }));
}

#[test]
fn text_that_is_no_toml_is_told_with_its_place() {
    for (text, line) in
        [("[integration.work", 1), ("\n= 7\n", 2), ("x", 1), ("[integration.work]\nclient_id = \"me\n", 2)]
    {
        assert_eq!(Some(line), error(text).place.map(|p| p.line), "{text:?}");
    }
}

#[test]
fn the_same_table_or_key_may_not_stand_twice() {
    let twice = format!("{}{}", work(""), work(""));
    assert_eq!(Some(5), error(&twice).place.map(|p| p.line));
    assert_eq!(Some(4), error(&work("client_id = \"you\"")).place.map(|p| p.line));
}

#[test]
fn an_inline_client_secret_is_refused_and_never_shown() {
    const SECRET: &str = "7734051988";
    let refused = [
        format!("client_secret = \"{SECRET}\""),
        format!("client_secret = '{SECRET}'"),
        format!("client_secret = '''\n{SECRET}'''"),
        format!("client_secret = {SECRET}"),
        format!("client_secret = -{SECRET}"),
        format!("client_secret = {SECRET}.5"),
        format!("client_secret = [\"{SECRET}\"]"),
        format!("client_secret = [{SECRET}]"),
        format!("client_secret = {{ value = \"{SECRET}\" }}"),
        format!("client_secret = {{ \"{SECRET}\" = true }}"),
        format!("client_secret = {{ keychain = \"{SECRET}\" }}"),
        format!("client_secret = {{ keychain = {SECRET} }}"),
        format!("client_secret = {{ keychain = true, value = \"{SECRET}\" }}"),
        format!("client_secret = {{ value = \"{SECRET}\", keychain = true }}"),
        format!("client_secret = {{ keychain = true, \"{SECRET}\" = 1 }}"),
        format!("client_secret = {{ file = {SECRET} }}"),
        format!("client_secret = {{ file = [\"{SECRET}\"] }}"),
        format!("client_secret = {{ file = \"x\", value = \"{SECRET}\" }}"),
        format!("client_secret = {{ env = {SECRET} }}"),
        format!("client_secret = {{ env = {{ x = \"{SECRET}\" }} }}"),
        format!("client_secret.value = \"{SECRET}\""),
        format!("client_secret.keychain = \"{SECRET}\""),
        format!("[integration.work.client_secret]\nvalue = \"{SECRET}\""),
        format!("[integration.work.client_secret]\nkeychain = true\nvalue = \"{SECRET}\""),
        format!("[[integration.work.client_secret]]\nvalue = \"{SECRET}\""),
        format!("client_secret = \"{SECRET}"),
        format!("client_secret = {SECRET}x"),
        format!("client_secret = x{SECRET}"),
        format!("client_secret = \"x\" {SECRET}"),
        format!("client_secret = {{ keychain = true\nx = \"{SECRET}\""),
        format!("client_secret = \"{SECRET}\"\nclient_secret = \"{SECRET}\""),
        format!("client_secrets = \"{SECRET}\""),
        format!("Client_Secret = {SECRET}"),
        format!("client_secret = {{ keychain = false, value = \"{SECRET}\" }}"),
        format!("params = {{ client_secret = \"{SECRET}\" }}"),
    ];
    for lines in refused {
        let error = error(&work(&lines));
        assert!(!shown(&error).contains(SECRET), "{lines}\n{}", shown(&error));
        assert!(error.place.is_some_and(|p| p.line >= 4), "{lines}\n{error:?}");
    }
}

#[test]
fn the_refusal_of_an_inline_secret_names_the_three_places_for_it() {
    for lines in [
        "client_secret = \"x\"",
        "client_secret = 7",
        "client_secret = {}",
        "client_secret = { keychain = false }",
        "client_secret = [1]",
    ] {
        let text = error(&work(lines)).to_string();
        for form in ["{ keychain = true }", "{ file = \"...\" }", "{ env = \"...\" }"] {
            assert!(text.contains(form), "{lines}: {text}");
        }
    }
}

#[test]
fn a_client_secret_lies_in_the_store_in_a_file_or_in_a_variable() {
    for (lines, expected) in [
        ("client_secret = { keychain = true }", SecretSource::Store),
        ("client_secret = { file = \"/run/secrets/x\" }", SecretSource::File("/run/secrets/x".into())),
        ("client_secret = { env = \"WORK_SECRET\" }", SecretSource::Environment("WORK_SECRET".into())),
        ("client_secret.env = \"WORK_SECRET\"", SecretSource::Environment("WORK_SECRET".into())),
        ("[integration.work.client_secret]\nkeychain = true", SecretSource::Store),
    ] {
        assert_eq!(Some(expected), parse(&work(lines)).client_secret, "{lines}");
    }
}

#[test]
fn redirects_are_one_or_a_list_in_order() {
    for (value, expected) in [
        ("\"http://127.0.0.1:8085/cb\"", &["http://127.0.0.1:8085/cb"][..]),
        (
            "[\"http://127.0.0.1:8085/cb\", \"http://[::1]:0/cb\"]",
            &["http://127.0.0.1:8085/cb", "http://[::1]:0/cb"][..],
        ),
    ] {
        let integration = parse(&work(&format!("redirect_uri = {value}")));
        assert_eq!(expected, integration.redirects.iter().map(RegisteredRedirect::as_str).collect::<Vec<_>>());
    }
    let empty = error(&work("redirect_uri = []"));
    assert_eq!(
        (place(4, 16), Some("write: redirect_uri = \"http://127.0.0.1:0/callback\"")),
        (empty.place, empty.remedy.as_deref())
    );
}

#[test]
fn a_redirect_that_breaks_a_rule_is_told_with_the_rules_number() {
    for (uri, rule) in [
        ("http://127.0.0.1:0", "rule 2:"),
        ("https://app.example/cb#x", "rule 10:"),
        ("http://127.0.0.1:0/cb#x", "rule 10:"),
        ("https://127.0.0.1:0/cb", "rule native 1:"),
        ("http://0.0.0.0:0/cb", "rule native 2:"),
        ("http://127.0.0.1:99999/cb", "rule 6:"),
    ] {
        for value in [format!("\"{uri}\""), format!("[\"http://127.0.0.1:0/\", \"{uri}\"]")] {
            let error = error(&work(&format!("redirect_uri = {value}")));
            assert!(error.what.contains(rule), "{uri}: {error}");
            assert_eq!(
                (place(4, 16), Some(format!("loopin redirect check '{uri}'"))),
                (error.place, error.remedy.clone()),
                "{error}"
            );
        }
    }
}

#[test]
fn localhost_by_name_needs_insistence() {
    for uri in ["http://localhost:0/cb", "http://localhost:8085/cb"] {
        let line = format!("redirect_uri = \"{uri}\"");
        let refused = error(&work(&line));
        assert!(refused.what.contains("rule"), "{refused}");
        assert_eq!(place(4, 16), refused.place);
        assert_eq!(uri, parse(&work(&format!("{line}\ninsist_on_localhost = true"))).redirects[0].as_str());
    }
    assert!(
        error(&work("redirect_uri = \"http://localhost:8085/cb\""))
            .remedy
            .expect("remedy")
            .contains("insist_on_localhost = true")
    );
    // Insistence is for the name and opens nothing else.
    error(&work("redirect_uri = \"http://0.0.0.0:0/cb\"\ninsist_on_localhost = true"));
}

#[test]
fn a_registered_query_may_not_hide_a_parameter_of_the_answer() {
    for name in ["code", "state", "error", "error_description", "error_uri", "iss", "%73tate", "c%6Fde"] {
        for query in [format!("{name}=1"), format!("a=b&{name}=1"), name.to_owned(), format!("a=b&{name}")] {
            let error = error(&work(&format!("redirect_uri = \"http://127.0.0.1:0/cb?{query}\"")));
            assert!(error.what.contains("which the provider's answer needs"), "{query}: {error}");
            assert_eq!(place(4, 16), error.place);
        }
    }
    for query in ["tenant=7", "states=1", "codex", "a=code", "a=state&b", "State=1", ""] {
        parse(&work(&format!("redirect_uri = \"http://127.0.0.1:0/cb?{query}\"")));
    }
}

#[test]
fn actions_add_their_scopes_to_those_of_the_integration() {
    let integration = parse(&work(
        "scopes = [\"openid\"]\n[integration.work.actions]\nread = [\"r\", \"openid\"]\nwrite = [\"r\", \"w\"]\nnothing = []",
    ));
    assert_eq!(Ok(scopes("openid r w")), integration.scopes_for(None));
    assert_eq!(Ok(scopes("openid r")), integration.scopes_for(Some(&action("read"))));
    assert_eq!(Ok(scopes("openid r w")), integration.scopes_for(Some(&action("write"))));
    assert_eq!(Ok(scopes("openid")), integration.scopes_for(Some(&action("nothing"))));
}

#[test]
fn an_unknown_name_offers_the_nearest() {
    let text = work("[integration.work.actions]\nread = [\"r\"]\nwrite = [\"w\"]");
    let unknown =
        |name: &str, nearest: Option<&str>| UnknownName { name: name.into(), nearest: nearest.map(str::to_owned) };
    for (name, nearest) in [("raed", Some("read")), ("writ", Some("write")), ("all", None), ("something", None)] {
        assert_eq!(Err(unknown(name, nearest)), parse(&text).scopes_for(Some(&action(name))));
    }
    let catalog = Catalog::parse(&text).expect("a good file");
    for (name, nearest) in [("wrok", Some("work")), ("Work", Some("work")), ("elsewhere", None), ("", None)] {
        assert_eq!(unknown(name, nearest), catalog.get(name).expect_err(name));
    }
}

#[test]
fn all_is_no_name_for_an_action() {
    let error = error(&work("[integration.work.actions]\n\"all\" = [\"r\"]"));
    assert_eq!(place(5, 1), error.place);
    assert!(error.what.contains("\"all\" stands for every action together"), "{error}");
}

#[test]
fn names_are_of_a_small_alphabet() {
    for name in ["Work", "a b", "é", "../x", "a/b", "", &"x".repeat(65)] {
        error(&format!("[integration.\"{name}\"]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n"));
        error(&work(&format!("[integration.work.actions]\n\"{name}\" = [\"r\"]")));
    }
}

#[test]
fn what_a_login_cannot_do_without_may_not_be_missing() {
    let authorization = "authorization_endpoint = \"https://op.example/a\"\n";
    let token = "token_endpoint = \"https://op.example/t\"\n";
    let (issuer, client) = ("issuer = \"https://op.example\"\n", "client_id = \"me\"\n");
    for (lines, what, remedy) in [
        (issuer.to_owned(), "client_id is missing", "add: client_id = \"...\""),
        (client.to_owned(), "no provider", "add: issuer ="),
        (format!("{client}{token}"), "authorization_endpoint is missing", "add it beside token_endpoint"),
        (format!("{client}{authorization}"), "token_endpoint is missing", "add it beside authorization_endpoint"),
        (format!("{client}{issuer}{token}"), "authorization_endpoint is missing", "add it beside token_endpoint"),
        (
            format!("{client}{issuer}{authorization}"),
            "token_endpoint is missing",
            "add it beside authorization_endpoint",
        ),
        (format!("{client}revocation_endpoint = \"https://op.example/r\"\n"), "no provider", "add: issuer ="),
    ] {
        let error = error(&format!("\n[integration.work]\n{lines}"));
        assert_eq!(format!("[integration.work]: {what}"), error.what);
        assert!(error.remedy.as_deref().is_some_and(|r| r.starts_with(remedy)), "{error:?}");
        assert_eq!(Some(2), error.place.map(|p| p.line), "{lines}");
    }
    for client in ["", " ", "é", "a\\n"] {
        let error = error(&format!("[integration.work]\n{issuer}client_id = \"{client}\"\n"));
        assert_eq!(
            (place(3, 13), "[integration.work]: client_id is not printable ASCII"),
            (error.place, error.what.as_str())
        );
    }
}

#[test]
fn x02_unsafe_urls_are_told_by_name_and_place() {
    for (line, name) in [
        ("issuer = \"http://op.example\"", "issuer"),
        ("issuer = \"https://op.example?x\"", "issuer"),
        ("issuer = \"https:op.example\"", "issuer"),
        ("authorization_endpoint = \"https://me@op.example/a\"", "authorization_endpoint"),
        ("token_endpoint = \"https://op.example/t#x\"", "token_endpoint"),
        ("revocation_endpoint = \"file:///etc/passwd\"", "revocation_endpoint"),
    ] {
        let error = error(&format!("[integration.work]\nclient_id = \"me\"\n{line}\n"));
        assert!(error.what.starts_with(&format!("[integration.work]: {name} is not a safe URL: ")), "{error}");
        assert_eq!(place(3, name.len() + 4), error.place);
    }
}

#[test]
fn a_parameter_that_the_flow_owns_is_refused_at_its_name() {
    for name in ["state", "scope", "nonce"] {
        let error = error(&work(&format!("params = {{ prompt = \"consent\", {name} = \"x\" }}")));
        assert_eq!(
            (place(4, 32), format!("[integration.work]: params: the sign-in sets {name} itself")),
            (error.place, error.what)
        );
    }
}

#[test]
fn a_scope_that_is_none_is_refused_at_its_place() {
    assert_eq!(place(4, 17), error(&work("scopes = [\"ok\", \"two words\"]")).place);
    assert_eq!(place(5, 14), error(&work("[integration.work.actions]\nread = [\"r\", \"\"]")).place);
}

proptest! {
    #[test]
    fn random_text_never_panics(text in "\\PC{0,200}") {
        let _either = Catalog::parse(&text);
    }

    #[test]
    fn a_good_file_with_random_text_in_it_never_panics_and_has_a_place_in_the_text(at in 0usize..400, inserted in "[\\x00-\\x7fé😀\"\\[\\]{}=.\n]{0,6}") {
        let mut text = work("scopes = [\"é\", \"a\"]\nredirect_uri = [\"http://127.0.0.1:0/cb?a\"]\n[integration.work.actions]\nread = [\"r\"]");
        text.insert_str(text.floor_char_boundary(at), &inserted);
        if let Err(CatalogError { place: Some(Place { line, column }), .. }) = Catalog::parse(&text) {
            let of_line = text.split('\n').nth(line - 1).map(|l| l.chars().count());
            prop_assert!(of_line.is_some_and(|length| column <= length + 1), "{line}:{column} in {text:?}");
        }
    }
}

#[test]
fn v34_no_assertion_is_ever_made_that_another_server_could_use() {
    let of = |method: &str| {
        format!(
            "[integration.work]\nissuer = \"https://a.example\"\nclient_id = \"x\"\ntoken_endpoint_auth_method = \"{method}\"\n"
        )
    };
    for method in ["private_key_jwt", "client_secret_jwt"] {
        let error = Catalog::parse(&of(method)).expect_err(method);
        assert_eq!(Some(4), error.place.map(|place| place.line));
        assert!(
            error.what.contains(method) && error.what.contains("another server could use its assertion"),
            "{error}"
        );
        assert!(error.remedy.is_some_and(|remedy| remedy.contains("client_secret_basic or client_secret_post")));
    }
    for method in ["none", "tls_client_auth", "CLIENT_SECRET_BASIC", ""] {
        let error = Catalog::parse(&of(method)).expect_err(method);
        assert!(error.what.contains("is not known"), "{error}");
    }
    for method in ["client_secret_basic", "client_secret_post"] {
        assert!(Catalog::parse(&of(method)).is_ok(), "{method}");
    }
}

#[test]
fn v13_an_instance_is_a_server_and_perhaps_the_client_that_is_registered_there() {
    let of = |list: &str| {
        Catalog::parse(&format!(
            "[integration.work]\nissuer = \"https://a.example\"\nclient_id = \"x\"\nbase_allow = [\n{list}\n]\n"
        ))
    };
    let list = "\"*\", \"https://git.acme.example\",\n{ url = \"https://b.example:8443\", client_id = \"b\", client_secret = { env = \"B\" } }";
    let catalog = of(list).expect("configuration");
    let instances = &catalog.get("work").expect("integration").base_allow;
    assert_eq!(Others::Public, instances.others);
    let [plain, own] = &instances.listed[..] else { panic!("two instances") };
    assert_eq!(("https://git.acme.example".into(), None), (plain.host.to_string(), plain.client_secret.clone()));
    assert_eq!(Some(SecretSource::Environment("B".into())), own.client_secret);
    for (words, entry) in [
        ("no path, no user", "\"https://git.acme.example/path\""),
        ("no path, no user", "\"https://*.acme.example\""),
        ("http would carry", "\"http://git.acme.example\""),
        ("a port is", "\"https://git.acme.example:0\""),
        ("belongs to a client_id", "{ url = \"https://b.example\", client_secret = { env = \"B\" } }"),
        ("registered at every server", "{ url = \"*\", client_id = \"b\" }"),
        ("listed twice", "\"https://b.example\", \"https://b.example\""),
        ("a secret never stands", "{ url = \"https://b.example\", client_id = \"b\", client_secret = \"canary\" }"),
        ("unknown field", "{ url = \"https://b.example\", id = \"b\" }"),
        ("a server, or a table", "5"),
    ] {
        let error = of(entry).expect_err(words);
        assert!(error.to_string().contains(words) && !error.to_string().contains("canary"), "{words}: {error}");
        assert_eq!(Some(5), error.place.map(|place| place.line), "{error}");
    }
}
