//! Changes keep what the user wrote, and are judged by the rules of the file.

use super::*;

fn work() -> Fields {
    Fields { issuer: Some("https://op.example".into()), client_id: Some("me".into()), ..Fields::default() }
}

fn name(text: &str) -> IntegrationName {
    IntegrationName::parse(text).expect("name")
}

#[track_caller]
fn added(text: &str, fields: &Fields) -> String {
    match add(text, &name("work"), fields, Existing::Kept) {
        Ok(Addition::Changed(text)) => text,
        other => panic!("not added: {other:?}"),
    }
}

#[test]
fn adding_and_removing_leaves_the_users_comments_alone() {
    let before = "# mine\n[integration.a]   # a\nissuer = \"https://a.example\" # here\nclient_id = \"x\"\n";
    let added = added(before, &work());
    assert!(added.starts_with(before), "{added}");
    assert_eq!(before, remove(&added, "work").expect("removed"));
}

#[test]
fn t03_adding_the_same_again_changes_nothing_and_another_client_is_not_overwritten() {
    let text = added("", &work());
    assert_eq!(Ok(Addition::Same), add(&text, &name("work"), &work(), Existing::Kept));
    let by_hand = text.replace("client_id = \"me\"", "client_id='me' # mine");
    assert_eq!(Ok(Addition::Same), add(&by_hand, &name("work"), &work(), Existing::Kept));
    let other = Fields { client_id: Some("you".into()), ..work() };
    assert_eq!(Ok(Addition::Taken), add(&text, &name("work"), &other, Existing::Kept));
    assert_eq!(
        Ok(Addition::Changed(text.replace("\"me\"", "\"you\""))),
        add(&text, &name("work"), &other, Existing::Replaced)
    );
}

#[test]
fn t03_replacing_an_integration_keeps_its_place_and_the_comment_above_it() {
    let text = "# first\n[integration.work]\nissuer = \"https://old.example\"\nclient_id = \"old\"\n\
                [integration.work.actions]\nread = [\"r\"]\n\n\
                # second\n[integration.b]\nissuer = \"https://b.example\"\nclient_id = \"b\"\n";
    let Ok(Addition::Changed(replaced)) = add(text, &name("work"), &work(), Existing::Replaced) else { panic!() };
    assert!(replaced.starts_with("# first\n[integration.work]\nissuer = \"https://op.example\"\n"), "{replaced}");
    assert!(
        !replaced.contains("actions") && replaced.ends_with(&text[text.find("# second").expect("b")..]),
        "{replaced}"
    );
}

#[test]
fn t03_one_field_is_set_in_its_place_and_the_rest_stays_as_it_is() {
    let text = "# mine\n[integration.work] # w\nissuer = \"https://op.example\" # here\nclient_id = 'me' # id\n\
                scopes = [\n  \"a\", # one\n]\n# end\n[integration.work.actions]\nread = [\"r\"] # r\n";
    let fields = Fields { client_id: Some("you".into()), ..Fields::default() };
    assert_eq!(Ok(text.replace("'me'", "\"you\"")), set(text, "work", &fields, &[]));
    assert_eq!(Ok(text.to_owned()), set(text, "work", &Fields::default(), &[]));
    let store = Fields { store: Some(StoreKind::File), ..Fields::default() };
    let stored = set(text, "work", &store, &[]).expect("set");
    assert_eq!(StoreKind::File, Catalog::parse(&stored).expect("read").get("work").expect("work").store);
    for comment in ["# mine", "# w", "# here", "# id", "# one", "# end", "# r"] {
        assert!(stored.contains(comment), "{comment}: {stored}");
    }
    let unset = set(text, "work", &Fields::default(), &["scopes".into(), "actions.read".into()]).expect("unset");
    assert!(!unset.contains("\"a\"") && !unset.contains("\"r\""), "{unset}");
}

#[test]
fn t03_a_field_that_is_not_there_or_must_be_there_is_not_unset() {
    let text = added("", &work());
    let unset = |field: &str| set(&text, "work", &Fields::default(), &[field.to_owned()]).expect_err(field);
    assert_eq!(Some("did you mean client_id?".into()), unset("clientid").remedy);
    assert!(unset("relay").what.contains("has no relay"));
    assert!(unset("client_id").what.contains("client_id is missing"));
    let nowhere = set(&text, "wrok", &Fields::default(), &[]).expect_err("unknown");
    assert_eq!(Some("did you mean work?".to_owned()), nowhere.remedy);
}

#[test]
fn t03_a_redirect_without_a_port_is_refused_with_the_words_of_a_login() {
    let bad = Fields { redirect_uris: vec!["http://127.0.0.1/callback".into()], ..work() };
    let error = add("", &name("work"), &bad, Existing::Kept).expect_err("refused");
    assert_eq!(format!("redirect_uri: {}", BindError::PortUnstated), error.what);
    assert_eq!(Some("--redirect-uri http://127.0.0.1:0/callback".to_owned()), error.remedy);
}

#[test]
fn t03_scopes_are_separated_as_the_provider_does() {
    let scopes = |more: &str, list: &[&str]| {
        let text = format!("[integration.work]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n{more}");
        let fields = Fields { scopes: list.iter().map(ToString::to_string).collect(), ..Fields::default() };
        let text = set(&text, "work", &fields, &[])?;
        Ok::<_, CatalogError>(Catalog::parse(&text).expect("read").get("work").expect("work").scopes.to_string())
    };
    assert_eq!(Ok("openid email profile".into()), scopes("", &["openid email", "profile"]));
    let error = scopes("", &["openid,email"]).expect_err("one scope");
    assert!(error.what.contains("\"openid,email\" is one scope"), "{error:?}");
    assert!(error.remedy.expect("remedy").contains("--scope openid --scope email"));
    assert_eq!(Ok("openid email".into()), scopes("scope_separator = \",\"\n", &["openid,email"]));
}

#[test]
fn t14_the_line_ends_of_the_file_are_kept() {
    let text = "# c\r\n[integration.a]\r\nissuer = \"https://a.example\"\r\nclient_id = \"x\"\r\n";
    let changed = added(text, &work());
    assert!(changed.starts_with(text), "{changed:?}");
    assert_eq!(changed.matches('\n').count(), changed.matches("\r\n").count());
    assert_eq!(text, remove(&changed, "work").expect("removed"));
    assert!(!added(&text.replace('\r', ""), &work()).contains('\r'));
}

#[test]
fn removing_a_misspelt_name_offers_the_nearest() {
    let text = added("", &work());
    assert_eq!(Some("did you mean work?".to_owned()), remove(&text, "wrok").expect_err("unknown").remedy);
}

#[test]
fn what_is_added_is_judged_by_the_rules_of_the_file() {
    let bad = Fields { redirect_uris: vec!["http://localhost:0/callback".into()], ..work() };
    let error = add("", &name("work"), &bad, Existing::Kept).expect_err("refused");
    assert!(error.what.contains("native"), "rule by number");
}
