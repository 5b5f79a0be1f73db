//! Golden texts of the real git (2.47), and what no git sends. P01-P03.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../../tests/data/helper/", $name))
    };
}

fn answer(input: &str, token: &str) -> Result<String, UnspeakableToken> {
    let description = Description::parse(input.as_bytes()).expect("a description");
    let expires_at = UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let answer = description.answer(&BasicUsername::default(), &Secret::new(token.into()), Some(expires_at))?;
    Ok(answer.expose().to_owned())
}

fn is_for(input: &str, host: &str) -> bool {
    Description::parse(input.as_bytes()).expect("a description").is_for(&Host::parse(host).expect("a host"))
}

#[test]
fn each_git_gets_the_form_that_it_and_its_server_understand() {
    for (input, output) in [
        (golden!("git-get-bearer.in"), golden!("git-get-bearer.out")),
        (golden!("git-get-basic.in"), golden!("git-get-basic.out")),
        (golden!("git-get-old.in"), golden!("git-get-old.out")),
    ] {
        assert_eq!(Ok(output.to_owned()), answer(input, "the-token"), "{input}");
    }
}

#[test]
fn bearer_is_given_unless_the_server_asks_for_basic_alone() {
    for (challenges, scheme) in [
        (&[][..], "Bearer"),
        (&["Bearer"], "Bearer"),
        (&["Negotiate"], "Bearer"),
        (&["Basic realm=\"a\", Bearer realm=\"b\""], "Bearer"),
        (&["bearer authorization_uri=x", "basic realm=y"], "Bearer"),
        (&["BASIC realm=\"GitLab\""], "Basic"),
        (&["Basic realm=\"a, Bearer b\""], "Basic"),
        (&["Negotiate", "Basic"], "Basic"),
        (&["Bearer", ""], "Bearer"),
        (&["Bearer", "", "Basic"], "Basic"),
    ] {
        let challenges: String = challenges.iter().map(|c| format!("wwwauth[]={c}\n")).collect();
        let input = format!("capability[]=authtype\nprotocol=https\nhost=h\n{challenges}\n");
        assert!(answer(&input, "t").expect("an answer").contains(&format!("authtype={scheme}\n")), "{input}");
    }
}

#[test]
fn a_capability_that_is_taken_back_does_not_count() {
    let text = answer("capability[]=authtype\ncapability[]=\nprotocol=https\nhost=h\n\n", "t").expect("an answer");
    assert!(text.starts_with("username=oauth2\npassword=t\n") && !text.contains("authtype"), "{text}");
}

#[test]
fn p03_the_refused_token_is_found_in_whatever_form_it_was_given() {
    for input in [golden!("git-erase-bearer.in"), golden!("git-erase-basic.in"), golden!("git-erase-old.in")] {
        let refused = Description::parse(input.as_bytes()).expect("a description");
        assert_eq!(Some("the-token"), refused.token().as_ref().map(Secret::expose), "{input}");
    }
    for input in
        ["protocol=https\nhost=h\n", "authtype=Basic\ncredential=!\n", "authtype=Basic\ncredential=bm9jb2xvbg==\n"]
    {
        assert!(Description::parse(input.as_bytes()).expect("a description").token().is_none(), "{input}");
    }
}

#[test]
fn p01_no_cr_and_no_nul_anywhere_and_lf_alone_ends_a_line() {
    let good = "protocol=https\nhost=git.example.com\nusername=me\npath=a/b.git\nwwwauth[]=Basic realm=\"x\"\n\n";
    for bad in ['\r', '\0'] {
        for at in 0..=good.len() {
            let mut text = good.to_owned();
            text.insert(at, bad);
            assert_eq!(Malformed::ControlByte, Description::parse(text.as_bytes()).expect_err("refused"), "{text:?}");
        }
    }
    // None of these ends a line.
    for separator in ["\u{85}", "\u{2028}", "\u{b}", "\u{c}", "%0a", "\\n"] {
        let text = format!("protocol=https{separator}host=git.example.com\n\n");
        assert!(!is_for(&text, "git.example.com"), "{text:?}");
    }
    for line in ["host", "no equals sign", " "] {
        let text = format!("protocol=https\n{line}\n");
        assert_eq!(Malformed::NoEqualsSign, Description::parse(text.as_bytes()).expect_err("refused"), "{text:?}");
    }
}

#[test]
fn p01_a_token_that_would_end_its_line_is_not_spoken() {
    for token in ["a\nusername=evil", "a\r", "a\0b", "a\u{7f}"] {
        for input in [golden!("git-get-bearer.in"), golden!("git-get-old.in")] {
            assert_eq!(Err(UnspeakableToken), answer(input, token), "{token:?}");
        }
    }
}

#[test]
fn p02_protocol_host_and_port_are_those_of_the_integration_exactly() {
    let ask = |protocol: &str, host: &str| format!("protocol={protocol}\nhost={host}\n\n");
    assert!(is_for(&ask("https", "git.example.com"), "git.example.com"));
    assert!(is_for(&ask("https", "Git.Example.COM"), "git.example.com"), "names of hosts have no case");
    assert!(is_for(&ask("https", "git.example.com:8443"), "git.example.com:8443"));
    assert!(is_for(&ask("http", "127.0.0.1:3000"), "http://127.0.0.1:3000"));
    for host in [
        "",
        " ",
        ".",
        "git.example.com.evil.example",
        "git.example.com.",
        ".git.example.com",
        "xgit.example.com",
        "example.com",
        "evil.example",
        "git.example.com:443",
        "git.example.com:8443",
        "git.example.com:",
        "git.example.com/",
        "git.example.com/../evil.example",
        "git.example.com#evil.example",
        "git.example.com?evil",
        "git.example.com@evil.example",
        "me@git.example.com",
        "evil.example@git.example.com",
        "git.example.com%00.evil.example",
        "git.example.com%2eevil",
        "git.example.com evil",
        "git.example.com\t",
        " git.example.com",
        "*",
        "*.example.com",
        "git\u{ad}.example.com",
        "g\u{456}t.example.com",
        "\u{ff47}it.example.com",
        "[::1]",
        "127.0.0.1",
        "localhost",
        "https://git.example.com",
        "git.example.com\u{fffd}",
    ] {
        assert!(!is_for(&ask("https", host), "git.example.com"), "{host:?}");
    }
    for protocol in ["", "http", "HTTPS", "https ", "ssh", "ftp", "file", "cert", "https:"] {
        assert!(!is_for(&ask(protocol, "git.example.com"), "git.example.com"), "{protocol:?}");
    }
    assert!(!is_for(&ask("https", "127.0.0.1:3000"), "http://127.0.0.1:3000"));
    assert!(!is_for("protocol=https\n\n", "git.example.com"), "no host");
    assert!(!is_for("host=git.example.com\n\n", "git.example.com"), "no protocol");
    assert!(!is_for(
        "protocol=https\nurl=https://git.example.com/\nHost=git.example.com\n host=git.example.com\n\n",
        "git.example.com"
    ));
    assert!(
        !is_for("protocol=https\nhost=git.example.com\nhost=evil.example\n\n", "git.example.com"),
        "the last counts"
    );
    assert!(
        !Description::parse(b"protocol=https\nhost=git.example.com\xff\n")
            .expect("text")
            .is_for(&Host::parse("git.example.com").expect("host"))
    );
}

#[test]
fn unknown_keys_are_skipped_and_an_empty_line_ends_it() {
    let text =
        "hello=world\n=\npath=../x\nprotocol=https\nhost=git.example.com\nstate[]=other:1\n\nhost=evil.example\n";
    assert!(is_for(text, "git.example.com"));
    assert!(is_whole(b"\n") && is_whole(b"a=b\n\n") && !is_whole(b"a=b\n") && !is_whole(b""));
}

#[test]
fn the_configuration_survives_the_shell_and_git() {
    let hosts = [Host::parse("git.example.com").expect("host"), Host::parse("http://127.0.0.1:1").expect("host")];
    let text = setup(Path::new("/it's/a \"b\"\\c/loopin"), "helper git", hosts.iter());
    assert_eq!(
        "[credential \"https://git.example.com\"]\n\thelper =\n\
         \thelper = \"!'/it'\\\\''s/a \\\"b\\\"\\\\c/loopin' helper git\"\n\
         [credential \"http://127.0.0.1:1\"]\n\thelper =\n\
         \thelper = \"!'/it'\\\\''s/a \\\"b\\\"\\\\c/loopin' helper git\"\n",
        text
    );
}

proptest! {
    // 10,000 by hand: PROPTEST_CASES=10000 cargo test --lib helper
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes in, what goes out is lines of this protocol and of nothing else.
    #[test]
    fn p01_whatever_is_read_the_answer_is_lines_of_the_protocol(
        lines in proptest::collection::vec("(protocol|host|username|password|capability\\[\\]|wwwauth\\[\\]|authtype|credential|[a-z=\\[\\]]{0,8})?=?(https|authtype|Basic|Bearer|git\\.example\\.com|\\PC{0,12})", 0..12),
        noise in proptest::collection::vec(any::<u8>(), 0..24),
        token in "[ -~]{0,40}|\\PC{0,20}|[\\x00-\\x7f]{0,20}",
    ) {
        let mut input = lines.join("\n").into_bytes();
        input.extend(noise);
        if let Ok(description) = Description::parse(&input) {
            let _ = description.token();
            let said = description.answer(&BasicUsername::default(), &Secret::new(token.clone()), None);
            prop_assert_eq!(said.is_err(), token.bytes().any(|b| b.is_ascii_control()));
            for line in said.iter().flat_map(|said| said.expose().lines()) {
                let (key, _) = line.split_once('=').expect("key=value");
                let known = ["capability[]", "authtype", "credential", "ephemeral", "username", "password", "password_expiry_utc"];
                prop_assert!(known.contains(&key), "{}", line);
            }
        }
    }
}
