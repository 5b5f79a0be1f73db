//! Where a client secret lies, and that it is never in the file.

use super::*;

/// Everything a person or a log could see of an error.
fn shown(error: &CatalogError) -> String {
    format!("{error} {error:?} {:?}", error.remedy)
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
