//! Where a mistake stands, and what was meant.

use super::*;

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
fn what_a_login_cannot_do_without_may_not_be_missing() {
    let authorization = "authorization_endpoint = \"https://op.example/a\"\n";
    let token = "token_endpoint = \"https://op.example/t\"\n";
    let (issuer, client) = ("issuer = \"https://op.example\"\n", "client_id = \"me\"\n");
    for (lines, what, remedy) in [
        (issuer.to_owned(), "client_id is missing", "add: client_id = \"...\""),
        (client.to_owned(), "no provider", "add: provider ="),
        (format!("{client}{token}"), "authorization_endpoint is missing", "add it beside token_endpoint"),
        (format!("{client}{authorization}"), "token_endpoint is missing", "add it beside authorization_endpoint"),
        (format!("{client}{issuer}{token}"), "authorization_endpoint is missing", "add it beside token_endpoint"),
        (
            format!("{client}{issuer}{authorization}"),
            "token_endpoint is missing",
            "add it beside authorization_endpoint",
        ),
        (format!("{client}revocation_endpoint = \"https://op.example/r\"\n"), "no provider", "add: provider ="),
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
        ("device_authorization_endpoint = \"http://op.example/device\"", "device_authorization_endpoint"),
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
