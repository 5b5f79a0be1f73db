//! Messages and their state, without pipes. P07: whatever comes is answered, in bounds.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn line(message: &Value) -> Line {
    Line::Whole(message.to_string().into_bytes())
}

fn met() -> Session {
    let mut session = Session::default();
    let first = json!({ "jsonrpc": "2.0", "id": "first", "method": "initialize", "params": { "protocol": 1 } });
    assert!(matches!(session.receive(&line(&first)), Step::Answer(_)));
    session
}

fn call(id: i64, method: &str, params: &Value) -> Line {
    line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

#[track_caller]
fn answer(step: Step) -> Value {
    let Step::Answer(line) = step else { panic!("{step:?}") };
    assert_eq!(Some(line.len() - 1), line.find('\n'), "one line");
    serde_json::from_str(&line).expect("JSON")
}

/// The answer to one line, said by a client that has introduced itself: id and error code.
#[track_caller]
fn refused(text: &str) -> (Value, i64) {
    let answer = answer(met().receive(&Line::Whole(text.as_bytes().to_vec())));
    assert_eq!("usage", answer["error"]["data"]["code"], "{answer}");
    (answer["id"].clone(), answer["error"]["code"].as_i64().expect("a code"))
}

#[test]
fn p07_a_line_is_the_same_however_its_bytes_are_cut() {
    let bytes = b"{}\r\n\nabc\nrest";
    let whole = [Line::Whole(b"{}".to_vec()), Line::Whole(Vec::new()), Line::Whole(b"abc".to_vec())];
    for size in 1..=bytes.len() {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for mut piece in bytes.chunks(size) {
            while let Some(line) = lines.take(&mut piece) {
                found.push(line);
            }
        }
        assert_eq!(whole.as_slice(), found, "{size}");
        assert_eq!(Some(Line::Whole(b"rest".to_vec())), lines.rest());
        assert_eq!(None, lines.rest());
    }
}

#[test]
fn p07_a_line_of_one_mebibyte_is_taken_and_a_longer_one_is_not_kept() {
    let mut lines = Lines::default();
    let mut long = vec![b' '; LONGEST_LINE];
    long.push(b'\n');
    assert_eq!(Some(Line::Whole(vec![b' '; LONGEST_LINE])), lines.take(&mut long.as_slice()));
    long.insert(0, b' ');
    assert_eq!(Some(Line::TooLong), lines.take(&mut long.as_slice()));
    assert_eq!(Some(Line::Whole(b"{}".to_vec())), lines.take(&mut b"{}\n".as_slice()), "the next one is read as ever");
    assert_eq!(json!(-32600), answer(met().receive(&Line::TooLong))["error"]["code"]);
}

#[test]
fn p07_what_is_no_request_is_told_by_its_code_and_with_its_id_where_that_can_be_read() {
    let null = Value::Null;
    for (text, id, code) in [
        ("nonsense", null.clone(), -32700),
        ("{", null.clone(), -32700),
        (r#"{"jsonrpc":"2.0","id":1,"method":"status"} {}"#, null.clone(), -32700),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"status"}]"#, null.clone(), -32600),
        (r#"["2.0",1,"status",{}]"#, null.clone(), -32600),
        ("1", null.clone(), -32600),
        ("null", null.clone(), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"status"}"#, null.clone(), -32600),
        (r#"{"jsonrpc":"2.0","id":null,"method":"status"}"#, null.clone(), -32600),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"status"}"#, null.clone(), -32600),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"status"}"#, null, -32600),
        (r#"{"jsonrpc":"1.0","id":1,"method":"status"}"#, json!(1), -32600),
        (r#"{"id":1,"method":"status"}"#, json!(1), -32600),
        (r#"{"jsonrpc":"2.0","id":"a"}"#, json!("a"), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, json!(1), -32600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"frobnicate"}"#, json!(1), -32601),
        (r#"{"jsonrpc":"2.0","id":1,"method":"status","params":[]}"#, json!(1), -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"status","params":null}"#, json!(1), -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"token","params":{"min_ttl":-1}}"#, json!(1), -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"token","params":{"account":7}}"#, json!(1), -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"cancel"}"#, json!(1), -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"logout"}"#, json!(1), -32602),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocol":1}}"#, json!(1), -32600),
    ] {
        assert_eq!((id, code), refused(text), "{text}");
    }
    let id = "x".repeat(129);
    assert_eq!((Value::Null, -32600), refused(&json!({ "jsonrpc": "2.0", "id": id, "method": "status" }).to_string()));
    let bytes = Line::Whole(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"x\":\"\xff\"}".to_vec());
    assert_eq!(json!(-32700), answer(met().receive(&bytes))["error"]["code"]);
}

#[test]
fn p07_unknown_fields_are_ignored_and_texts_are_bounded() {
    let text = r#"{"new":[1],"jsonrpc":"2.0","params":{"min_ttl":60,"shape":{}},"id":1,"method":"token"}"#;
    let Step::Begin(id, Work::Token(token)) = met().receive(&Line::Whole(text.into())) else { panic!() };
    assert_eq!((Id::Integer(1), Some(60)), (id, token.min_ttl));
    for params in [
        json!({ "account": "x".repeat(4097) }),
        json!({ "scopes": vec!["x"; 65] }),
        json!({ "scopes": ["x".repeat(4097)] }),
        json!({ "params": { "x": "x".repeat(4097) } }),
    ] {
        assert_eq!(json!(-32602), answer(met().receive(&call(1, "login", &params)))["error"]["code"]);
    }
}

#[test]
fn p07_an_id_that_is_still_open_is_refused_without_that_id() {
    let mut session = met();
    let token = call(1, "token", &json!({}));
    assert!(matches!(session.receive(&token), Step::Begin(..)));
    assert_eq!(Value::Null, answer(session.receive(&token))["id"], "or it would be taken for the token");
    session.close(&Id::Integer(1));
    assert!(matches!(session.receive(&token), Step::Begin(..)), "and free again when it is answered");
}

#[test]
fn p07_no_more_than_sixteen_logins_are_open() {
    let mut session = met();
    let login = |id| call(id, "login", &json!({}));
    let most = i64::try_from(LOGINS).expect("small");
    for id in 0..most {
        assert!(matches!(session.receive(&login(id)), Step::LogIn(..)));
    }
    assert_eq!(json!(-32600), answer(session.receive(&login(most)))["error"]["code"]);
    assert!(matches!(session.receive(&call(most, "token", &json!({}))), Step::Begin(..)), "tokens are served");
    session.close(&Id::Integer(0));
    assert!(matches!(session.receive(&login(0)), Step::LogIn(..)));
}

#[test]
fn p07_a_notification_is_never_answered_and_starts_nothing() {
    let mut session = met();
    for method in ["login", "token", "status", "initialize"] {
        let text = json!({ "jsonrpc": "2.0", "method": method, "params": { "protocol": 1 } });
        assert_eq!(Step::Nothing, session.receive(&line(&text)), "{method}");
    }
    let cancel = json!({ "jsonrpc": "2.0", "method": "cancel", "params": { "id": 7 } });
    assert_eq!(Step::Cancel { login: Id::Integer(7), request: None }, session.receive(&line(&cancel)));
    assert_eq!(Step::End(None), session.receive(&line(&json!({ "jsonrpc": "2.0", "method": "shutdown" }))));
}

#[test]
fn initialize_comes_first_and_with_a_version_that_both_speak() {
    let mut session = Session::default();
    assert_eq!(json!(-32600), answer(session.receive(&call(1, "token", &json!({}))))["error"]["code"]);
    let other = answer(session.receive(&call(1, "initialize", &json!({ "protocol": 2 }))));
    assert_eq!(json!(-32602), other["error"]["code"]);
    let result = &answer(session.receive(&call(1, "initialize", &json!({ "protocol": 1 }))))["result"];
    assert_eq!((json!(1), json!("loopin")), (result["protocol"].clone(), result["name"].clone()));
}

#[test]
fn the_code_of_a_command_is_32000_below_its_exit_code() {
    let fault = Fault::of_command("login_required", 4, "nobody".into(), Some("loopin login work".into()));
    let line: Value = serde_json::from_str(&failed(Some(&Id::Integer(1)), &fault)).expect("JSON");
    assert_eq!(json!(-32004), line["error"]["code"]);
    assert_eq!(json!({ "code": "login_required", "remedy": "loopin login work" }), line["error"]["data"]);
}

/// Methods, fields and values of the protocol beside nonsense, so that a part of it goes deep.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let word = || {
        prop::sample::select(vec![
            "initialize",
            "login",
            "token",
            "status",
            "logout",
            "cancel",
            "shutdown",
            "jsonrpc",
            "2.0",
            "id",
            "method",
            "params",
            "protocol",
            "integration",
            "min_ttl",
            "scopes",
            "open",
            "client",
            "\u{202e}",
            "",
        ])
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        Just(json!(1)),
        word().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    let tree = leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..5)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        ]
    });
    let request = (word(), tree.clone(), any::<Option<i8>>()).prop_map(|(method, params, id)| {
        json!({ "jsonrpc": "2.0", "id": id.map(i64::from).map_or(json!("x"), Value::from), "method": method, "params": params })
    });
    let json = prop_oneof![tree, request].prop_map(|value| value.to_string().into_bytes());
    let cut = (json.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, byte)| {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    });
    prop_oneof![json, cut, prop::collection::vec(any::<u8>(), 0..64)]
}

proptest! {
    #[test]
    fn p07_whatever_comes_every_answer_is_one_whole_line(messages in prop::collection::vec(message(), 1..32)) {
        let mut session = met();
        for bytes in messages {
            match session.receive(&Line::Whole(bytes)) {
                Step::Answer(line) | Step::End(Some(line)) => {
                    let answer: Value = serde_json::from_str(&line).expect("JSON");
                    prop_assert_eq!(&answer["jsonrpc"], "2.0");
                    prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
                }
                Step::Begin(id, _) | Step::LogIn(id, _) => session.close(&id),
                Step::Cancel { .. } | Step::HandOver { .. } | Step::End(None) | Step::Nothing => {}
            }
        }
        prop_assert_eq!(0, session.open().count());
    }
}
