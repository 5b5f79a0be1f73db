//! A provider in a shape refuses what a real one of that shape does not understand.

use serde_json::json;

use super::*;
use crate::{catalog::Catalog, practice::tests::head};

fn shape(fields: &str, secret: Option<&str>) -> Shape {
    let text = format!(
        "[integration.work]\nclient_id = \"me:1\"\nauthorization_endpoint = \"https://op.example/a\"\n\
         token_endpoint = \"https://op.example/t\"\n{fields}"
    );
    let catalog = Catalog::parse(&text).expect("a configuration");
    Shape::of(catalog.get("work").expect("work"), secret.map(|secret| Secret::new(secret.into())))
}

fn request(fields: &str) -> Head {
    head(&format!("POST /token HTTP/1.1\r\nHost: 127.0.0.1:1\r\n{fields}\r\n"))
}

fn form(pairs: &[(&str, &str)]) -> Parameters {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_provider_that_wants_json_reads_nothing_else() {
    let shape = shape("token_request = \"json\"\n", None);
    let json = request("Content-Type: application/json\r\n");
    assert_eq!(Some(form(&[("code", "x")])), shape.token_request(&json, br#"{"code":"x"}"#));
    assert_eq!(None, shape.token_request(&json, b"code=x"));
    assert_eq!(None, shape.token_request(&request(""), br#"{"code":"x"}"#), "the content type says what it is");
}

#[test]
fn the_secret_counts_only_in_the_way_that_is_registered() {
    let basic = |credentials: &str| request(&format!("Authorization: Basic {}\r\n", STANDARD.encode(credentials)));
    let (in_body, by_post) = (form(&[("client_id", "me:1"), ("client_secret", "s ")]), "client_secret_post");
    let post = shape(&format!("token_endpoint_auth_method = \"{by_post}\"\n"), Some("s "));
    assert!(post.authenticates(&request(""), &in_body));
    assert!(!post.authenticates(&basic("me%3A1:s+"), &form(&[])));
    assert!(!post.authenticates(&request(""), &form(&[("client_id", "me:1"), ("client_secret", "s")])));
    let header = shape("", Some("s "));
    assert!(header.authenticates(&basic("me%3A1:s+"), &form(&[])));
    for wrong in ["me:1:s ", "me%3A1:s", "other:s+", ""] {
        assert!(!header.authenticates(&basic(wrong), &form(&[])), "{wrong}");
    }
    assert!(!header.authenticates(&request(""), &in_body) && !header.authenticates(&basic("me%3A1:s+"), &in_body));
    let masked = shape(
        "token_endpoint_auth_method = \"client_secret_post\"\nclient_secret_mask = \"sha256_client_id\"\n",
        Some("s"),
    );
    assert!(!masked.authenticates(&request(""), &form(&[("client_id", "me:1"), ("client_secret", "s")])));
    let public = shape("", None);
    assert!(
        public.authenticates(&request(""), &form(&[("client_id", "me:1")]))
            && !public.authenticates(&request(""), &form(&[]))
    );
}

#[test]
fn parameters_that_a_provider_wants_are_missed() {
    let fields = "token_params = { action = \"get\", audience = \"a\" }\nrefresh_params = { audience = \"b\" }\n\
                  params = { owner = \"user\" }\noffline_params = { access_type = \"offline\" }\nscope_separator = \",\"\n\
                  offline_scopes = [\"offline\"]\n";
    let shape = shape(fields, None);
    let (exchange, refresh) =
        (form(&[("action", "get"), ("audience", "a")]), form(&[("action", "get"), ("audience", "b")]));
    assert!(
        shape.is_complete(&exchange, TokenOccasion::Exchange) && !shape.is_complete(&exchange, TokenOccasion::Refresh)
    );
    assert!(
        shape.is_complete(&refresh, TokenOccasion::Refresh) && !shape.is_complete(&refresh, TokenOccasion::Exchange)
    );
    assert_eq!((Some("owner"), None), (shape.lacks(&form(&[])), shape.lacks(&form(&[("owner", "user")]))));
    assert!(shape.is_offline(&form(&[("access_type", "offline"), ("scope", "read,offline")])));
    assert!(!shape.is_offline(&form(&[("access_type", "offline"), ("scope", "read")])));
    assert!(!shape.is_offline(&form(&[("scope", "read,offline")])));
}

#[test]
fn tokens_and_errors_are_where_the_provider_puts_them() {
    let nested = shape("token_at = \"body.tokens\"\nerror_at = \"body.status\"\n", None);
    let tokens = nested.tokens(json!({ "access_token": "a" }));
    assert_eq!(json!({ "body": { "status": 0, "tokens": { "access_token": "a" } } }), tokens);
    assert_eq!((200, json!({ "body": { "status": "invalid_grant" } })), nested.error(400, "invalid_grant"));
    let usual = shape("", None);
    assert_eq!(json!({ "access_token": "a" }), usual.tokens(json!({ "access_token": "a" })));
    assert_eq!((400, json!({ "error": "invalid_grant" })), usual.error(400, "invalid_grant"));
}
