//! The line is a contract between two programs, which may be of different releases.

use super::*;
use crate::refresh::tests::record;

/// Stands for the failure that the program shows; here a text is enough.
type Text = WorkerMessage<String>;

fn parse(line: &str) -> Option<Text> {
    Text::parse(&Secret::new(line.to_owned()))
}

#[test]
fn a_message_is_one_line_with_its_version() {
    assert_eq!(r#"{"v":1,"message":"nothing"}"#, Text::Nothing.line().expose());
    let failure = Text::Failure("two\nlines".into());
    assert_eq!(r#"{"v":1,"message":{"failure":"two\nlines"}}"#, failure.line().expose());
    let unstored = Text::Unstored(Box::new(record())).line();
    assert!(unstored.expose().starts_with(r#"{"v":1,"message":{"unstored":"{"#) && !unstored.expose().contains('\n'));
}

#[test]
fn a_line_is_read_as_it_was_written() {
    assert!(matches!(parse(Text::Nothing.line().expose()), Some(Text::Nothing)));
    let failure = parse(Text::Failure("why".into()).line().expose());
    assert!(matches!(failure, Some(Text::Failure(why)) if why == "why"));
    let with_end = format!("{}\n", Text::Unstored(Box::new(record())).line().expose());
    let Some(Text::Unstored(unstored)) = parse(&with_end) else { panic!("the record is lost") };
    assert_eq!(record().serialize().expose(), unstored.serialize().expose());
}

#[test]
fn a_line_of_another_version_is_no_message() {
    for message in [Text::Failure("why".into()), Text::Nothing, Text::Unstored(Box::new(record()))] {
        for version in ["0", "2", "\"1\"", "null"] {
            let other = message.line().expose().replacen("\"v\":1", &format!("\"v\":{version}"), 1);
            assert!(parse(&other).is_none(), "{version}");
        }
    }
}

#[test]
fn what_is_no_whole_line_is_no_message() {
    let whole = Text::Unstored(Box::new(record())).line();
    for length in 0..whole.expose().len() {
        assert!(parse(&whole.expose()[..length]).is_none(), "cut off after {length} bytes");
    }
    let two = format!("{0}\n{0}\n", whole.expose());
    for nonsense in [
        two.as_str(),
        "loopin: internal fault",
        "[]",
        r#"{"message":"nothing"}"#,
        r#"{"v":1}"#,
        r#"{"v":1,"message":"something"}"#,
        r#"{"v":1,"message":{"unstored":"{}"}}"#,
        r#"{"error":{"code":"store","message":"what the command printed before there was a version"}}"#,
    ] {
        assert!(parse(nonsense).is_none(), "{nonsense}");
    }
}

#[test]
fn a_message_prints_no_token() {
    let shown = format!("{:?}", Text::Unstored(Box::new(record())));
    assert!(!shown.contains("old-access") && !shown.contains("old-refresh"), "{shown}");
}
