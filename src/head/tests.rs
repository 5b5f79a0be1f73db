//! The rules of the head, row by row, and as properties over random bytes.

use proptest::prelude::*;

use super::*;

const SMALL: Limits = Limits { head: 400, request_line: 60, fields: 6 };

/// Pushes the pieces in order; the outcome with `consumed` counted over all of them.
fn read_pieces<'a>(limits: Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Progress {
    let mut reader = HeadReader::new(limits);
    let mut before = 0;
    for piece in pieces {
        match reader.push(piece) {
            Progress::NeedMore => before += piece.len(),
            Progress::Complete { head, consumed } => return Progress::Complete { head, consumed: before + consumed },
            rejected => {
                assert_eq!(reader.push(b"GET / HTTP/1.1\r\n\r\n"), rejected, "a rejection is final");
                return rejected;
            }
        }
        assert!(reader.held() <= Limits::DEFAULT.head);
    }
    Progress::NeedMore
}

fn read(bytes: &[u8]) -> Progress {
    read_pieces(Limits::DEFAULT, [bytes])
}

fn head(bytes: &[u8]) -> Head {
    match read(bytes) {
        Progress::Complete { head, consumed } if consumed == bytes.len() => head,
        other => panic!("{other:?}"),
    }
}

/// A GET with these field lines, each ended by the caller.
fn with_fields(lines: &[u8]) -> Vec<u8> {
    [b"GET /cb?code=1 HTTP/1.1\r\n", lines, b"\r\n"].concat()
}

fn assert_rejected(bytes: &[u8], rejection: Rejection) {
    assert_eq!(read(bytes), Progress::Reject(rejection), "{}", bytes.escape_ascii());
}

#[test]
fn a_browser_s_callback_is_read_as_sent() {
    let head = head(
        b"GET /cb?code=a/b%2F&state=%zz|{}'#x?y HTTP/1.1\r\nHost: 127.0.0.1:4711\r\nCookie: a=b\r\n\
          Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: \t navigate \t\r\nsec-fetch-dest:document\r\n\
          Origin: null\r\nAuthorization: Basic eDp5\r\nContent-Type: text/plain\r\nContent-Length: 007\r\n\r\n",
    );
    assert_eq!(head.method, Method::Get);
    assert_eq!(head.target, b"/cb?code=a/b%2F&state=%zz|{}'#x?y");
    assert_eq!(head.path(), b"/cb");
    assert_eq!(head.query(), Some(&b"code=a/b%2F&state=%zz|{}'#x?y"[..]));
    assert_eq!(head.host, Host::One(b"127.0.0.1:4711".to_vec()));
    assert_eq!(head.fetch.site.as_deref(), Some(&b"cross-site"[..]));
    assert_eq!(head.fetch.mode.as_deref(), Some(&b"navigate"[..]));
    assert_eq!(head.fetch.dest.as_deref(), Some(&b"document"[..]));
    assert_eq!(head.fetch.purpose, None);
    assert_eq!(head.origin.as_deref(), Some(&b"null"[..]));
    assert_eq!(head.authorization.map(|value| value.as_bytes().to_vec()), Some(b"Basic eDp5".to_vec()));
    assert_eq!(head.content_type.as_deref(), Some(&b"text/plain"[..]));
    assert_eq!(head.content_length, 7);
}

#[test]
fn methods_are_told_apart_by_case() {
    let table = [
        ("GET", Method::Get),
        ("HEAD", Method::Head),
        ("OPTIONS", Method::Options),
        ("POST", Method::Post),
        ("get", Method::Other),
        ("CONNECT", Method::Other),
        ("X-!#$%&'*+.^_`|~9", Method::Other),
    ];
    for (name, method) in table {
        assert_eq!(head(format!("{name} * HTTP/1.0\r\n\r\n").as_bytes()).method, method, "{name}");
    }
}

#[test]
fn debug_shows_no_target_and_no_credentials() {
    let head = head(b"GET /cb?code=SECRET HTTP/1.1\r\nAuthorization: Bearer SECRET\r\n\r\n");
    let shown = format!("{head:?} {:?}", head.authorization);
    assert!(!shown.contains("SECRET") && !shown.contains("83, 69"), "{shown}");
    assert!(shown.contains("Authorization([redacted])"));
}

#[test]
fn l16_t17_every_purpose_field_is_seen_and_several_together() {
    let table: [(&[u8], Option<&[u8]>); 6] = [
        (b"", None),
        (b"Sec-Purpose: prefetch;prerender\r\n", Some(b"prefetch;prerender")),
        (b"Purpose: prefetch\r\n", Some(b"prefetch")),
        (b"X-Purpose: preview\r\n", Some(b"preview")),
        (b"x-moz: prefetch\r\n", Some(b"prefetch")),
        (b"Sec-Purpose: \r\nPurpose: prefetch\r\n", Some(b", prefetch")),
    ];
    for (lines, purpose) in table {
        assert_eq!(head(&with_fields(lines)).fetch.purpose.as_deref(), purpose);
    }
}

#[test]
fn l20_no_host_one_host_and_two_hosts_are_told_apart() {
    assert_eq!(head(&with_fields(b"")).host, Host::Missing);
    assert_eq!(head(&with_fields(b"hOST:\r\n")).host, Host::One(Vec::new()));
    assert_eq!(head(&with_fields(b"Host: a\r\nHost: a\r\n")).host, Host::Several);
    assert_eq!(head(&with_fields(b"Host: a\r\nX: y\r\nHost: b\r\nHost: a\r\n")).host, Host::Several);
}

#[test]
fn l23_an_endless_field_line_costs_no_memory() {
    for start in [&b"GET / HTTP/1.1\r\nCookie: "[..], b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nAuthorization: "] {
        let mut reader = HeadReader::new(Limits::DEFAULT);
        assert_eq!(reader.push(start), Progress::NeedMore);
        let piece = [b'a'; 1000];
        let mut pushed = start.len();
        let rejection = loop {
            pushed += piece.len();
            match reader.push(&piece) {
                Progress::NeedMore => assert!(reader.held() <= 6 * 1024, "{}", reader.held()),
                Progress::Reject(rejection) => break rejection,
                Progress::Complete { .. } => unreachable!(),
            }
        };
        assert_eq!(rejection.status(), 431);
        assert!(pushed <= Limits::DEFAULT.head + piece.len());
    }
}

#[test]
fn l23_the_limits_are_exact() {
    let (size, room) = (Limits::DEFAULT.head, Limits::DEFAULT.head - with_fields(b"C: \r\n").len());
    for (length, fits) in [(room, true), (room + 1, false)] {
        let bytes = with_fields(&[b"C: ", &vec![b'c'; length][..], b"\r\n"].concat());
        assert_eq!(bytes.len(), size + usize::from(!fits));
        assert_eq!(read(&bytes) == Progress::Reject(Rejection::FieldsTooLarge), !fits);
    }
    for (count, fits) in [(200, true), (201, false)] {
        assert_eq!(read(&with_fields(&b"a:\r\n".repeat(count))) == Progress::Reject(Rejection::FieldsTooLarge), !fits);
    }
    for (length, fits) in [(4096, true), (4097, false)] {
        let line = [b"Authorization: ", &vec![b'a'; length][..], b"\r\n"].concat();
        assert_eq!(read(&with_fields(&line)) == Progress::Reject(Rejection::FieldsTooLarge), !fits);
    }
}

#[test]
fn l40_long_targets_pass_up_to_the_limit_of_the_request_line() {
    let around = "GET  HTTP/1.1".len();
    for length in [16 * 1024, 64 * 1024, Limits::DEFAULT.request_line - around] {
        let target = vec![b'q'; length];
        assert_eq!(head(&[b"GET ", &target[..], b" HTTP/1.1\r\n\r\n"].concat()).target, target);
    }
    let target = vec![b'q'; Limits::DEFAULT.request_line - around + 1];
    assert_rejected(&[b"GET ", &target[..], b" HTTP/1.1\r\n\r\n"].concat(), Rejection::TargetTooLong);
    assert_rejected(&vec![b'G'; 70_000], Rejection::TargetTooLong);
    assert_eq!(Rejection::TargetTooLong.status(), 414);
}

#[test]
fn l25_values_that_are_not_ours_pass_whatever_they_hold() {
    for value in [&b"dev=caf\xc3\xa9"[..], b"\xff\xfe\x80", b"a=\x01\x02\x7f\x1b[31m", b"\"unbalanced", b"\t : ;;=,"] {
        head(&with_fields(&[b"Cookie: ", value, b"\r\n"].concat()));
    }
    head(&with_fields(&[b"Cookie: ", &[b'c'; 60_000][..], b"\r\n"].concat()));
}

#[test]
fn l26_two_content_lengths_are_refused() {
    let table: [&[u8]; 14] = [
        b"Content-Length: 5\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: +0\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: \r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 5 5\r\n",
        b"Content-Length: \x0c5\r\n",
        b"Content-Length: 5\x0b\r\n",
        b"Content-Length: 18446744073709551616\r\n",
        b"Content-Length : 5\r\n",
        b" Content-Length: 5\r\n",
        b"Content-Length: \xd9\xa5\r\n",
    ];
    for lines in table {
        assert_rejected(&with_fields(lines), Rejection::Malformed);
    }
    assert_eq!(head(&with_fields(b"Content-Length: 18446744073709551615\r\n")).content_length, u64::MAX);
    assert_eq!(head(&with_fields(b"Content-Length:0\r\n")).content_length, 0);
}

#[test]
fn l26_any_transfer_encoding_is_refused() {
    for value in ["chunked", "xchunked", "identity", "", "\tchunked", "gzip, chunked", "CHUNKED\x0b"] {
        for name in ["Transfer-Encoding:", "transfer-encoding:", "TRANSFER-ENCODING: ", "Transfer-Encoding :"] {
            assert_rejected(&with_fields(format!("{name}{value}\r\n").as_bytes()), Rejection::Malformed);
        }
    }
    assert_rejected(&with_fields(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Rejection::Malformed);
}

#[test]
fn l26_a_field_that_decides_may_come_once() {
    for name in ["Authorization", "Content-Type", "Origin", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site"] {
        head(&with_fields(format!("{name}: a\r\n").as_bytes()));
        assert_rejected(&with_fields(format!("{name}: a\r\n{name}: a\r\n").as_bytes()), Rejection::Malformed);
    }
    head(&with_fields(b"Cookie: a\r\nCookie: a\r\n"));
}

#[test]
fn l26_bytes_after_the_head_are_left_alone() {
    let bytes = b"POST /t HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n";
    let Progress::Complete { head, consumed } = read(bytes) else { panic!() };
    assert_eq!((head.content_length, &bytes[consumed..consumed + 3]), (3, &b"abc"[..]));
}

#[test]
fn l27_malformed_bytes_are_refused() {
    let table: [&[u8]; 39] = [
        // Line ends
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: a\nX: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: a\r\r\n\r\n",
        b"GET / HTTP/1.1\r\n\n",
        b"GET / HTTP/1.1\r\n\rX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\r\n\r\n",
        b"GET /\rx HTTP/1.1\r\n\r\n",
        b"\r\nGET / HTTP/1.1\r\n\r\n",
        b"\nGET / HTTP/1.1\r\n\r\n",
        // NUL and controls
        b"\0",
        b"GET /\0 HTTP/1.1\r\n\r\n",
        b"GET /a\tb HTTP/1.1\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nCookie: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        // The request line
        b"GET /\r\n",
        b"GET\r\n",
        b"GET  / HTTP/1.1\r\n",
        b"GET / HTTP/1.1 \r\n",
        b"GET  HTTP/1.1\r\n",
        b" GET / HTTP/1.1\r\n",
        b" / HTTP/1.1\r\n",
        b"GET /a b HTTP/1.1\r\n",
        b"G(T / HTTP/1.1\r\n",
        b"G\xc3\x89T / HTTP/1.1\r\n",
        b"GET / http/1.1\r\n",
        b"GET / HTTP/1.1x\r\n",
        b"GET / HTTP/11\r\n",
        b"GET\t/\tHTTP/1.1\r\n",
        // Names
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\n: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n\tfolded\r\n\r\n",
        b"GET / HTTP/1.1\r\nH\xf6st: a\r\n\r\n",
        // TLS
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ];
    for bytes in table {
        assert_rejected(bytes, Rejection::Malformed);
    }
    for version in ["HTTP/2.0", "HTTP/0.9", "HTTP/1.2", "HTTP/9.9"] {
        assert_rejected(format!("PRI * {version}\r\n\r\nSM\r\n\r\n").as_bytes(), Rejection::VersionNotSupported);
    }
    let statuses = [Rejection::Malformed.status(), Rejection::VersionNotSupported.status()];
    assert_eq!(statuses, [400, 505]);
}

#[test]
fn l27_bytes_of_0x80_and_above_stay_in_the_target() {
    assert_eq!(head(b"GET /\xe9?\xff\x80 HTTP/1.1\r\n\r\n").target, b"/\xe9?\xff\x80");
}

#[test]
fn a_name_that_only_begins_like_a_known_one_is_another() {
    let lines = b"Content-Length-X: 9\r\nTransfer-Encodings: chunked\r\nHos: a\r\nHostt: a\r\nX-Content-Length: 9\r\n";
    let head = head(&with_fields(lines));
    assert_eq!((head.content_length, head.host), (0, Host::Missing));
    assert!(reader::NAMES.iter().all(|(name, _)| name.len() <= reader::LONGEST_NAME));
}

#[test]
fn after_a_head_the_reader_is_as_new() {
    let mut reader = HeadReader::new(Limits::DEFAULT);
    assert!(reader.is_empty());
    for target in ["/a", "/b"] {
        let bytes = format!("GET {target} HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(reader.push(&bytes.as_bytes()[..1]), Progress::NeedMore);
        assert!(!reader.is_empty());
        let Progress::Complete { head, .. } = reader.push(&bytes.as_bytes()[1..]) else { panic!() };
        assert_eq!(head.target, target.as_bytes());
        assert!(reader.is_empty() && reader.held() == 0);
    }
}

/// Bytes that are mostly the beginnings and ends of something.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static [u8]> = vec![
        b"GET / HTTP/1.1\r\n",
        b"POST /t?x HTTP/1.0\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"GET ",
        b" HTTP/1.1",
        b"Host: a\r\n",
        b"Host:",
        b"Content-Length: 12\r\n",
        b"Content-Length:",
        b"Transfer-Encoding: chunked\r\n",
        b"Sec-Fetch-Mode: navigate\r\n",
        b"Purpose: prefetch\r\n",
        b"Cookie: \xff\x01\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b"\0",
        b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    let pieces = prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat());
    (any::<prop::sample::Index>(), pieces).prop_map(|(start, rest)| match start.index(3) {
        0 => rest,
        _ => [b"GET /cb HTTP/1.1\r\n", &rest[..]].concat(),
    })
}

fn cut<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_outcome_does_not_depend_on_how_the_bytes_are_cut(
        bytes in prop_oneof![fragments(), prop::collection::vec(any::<u8>(), 0..80)],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        for limits in [SMALL, Limits::DEFAULT] {
            let whole = read_pieces(limits, [&bytes[..]]);
            prop_assert_eq!(&whole, &read_pieces(limits, cut(&bytes, &cuts)));
            prop_assert_eq!(&whole, &read_pieces(limits, bytes.chunks(1)));
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written(
        method in "[A-Z!#$%&'*+.^_`|~0-9a-z-]{1,12}",
        target in prop::collection::vec((0x21u8..).prop_filter("DEL", |&byte| byte != 0x7f), 1..60),
        host in "[!-~]{0,30}",
        others in prop::collection::vec(
            ("x-[a-z]{0,20}", prop::collection::vec((1u8..).prop_filter("line ends", |byte| !b"\r\n".contains(byte)), 0..40)),
            0..5,
        ),
        body in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut bytes = [method.as_bytes(), b" ", &target, b" HTTP/1.1\r\n"].concat();
        for (name, value) in &others {
            bytes.extend([name.as_bytes(), b":", value, b"\r\n"].concat());
        }
        bytes.extend(format!("Host: {host}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        let length = bytes.len();
        bytes.extend(&body);
        let Progress::Complete { head, consumed } = read(&bytes) else { panic!("{:?}", read(&bytes)) };
        prop_assert_eq!(consumed, length);
        prop_assert_eq!(&head.target, &target);
        prop_assert_eq!(&head.host, &Host::One(host.into_bytes()));
        prop_assert_eq!(head.content_length, body.len() as u64);
        let joined = match head.query() {
            Some(query) => [head.path(), b"?", query].concat(),
            None => head.path().to_vec(),
        };
        prop_assert_eq!(&joined, &target);
        prop_assert!(!head.path().contains(&b'?'));
    }
}
