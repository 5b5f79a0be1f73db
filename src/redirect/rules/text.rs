//! Is the text a URI at all (rule 2)? Until it is, its pieces mean different things to
//! different programs, so no other rule is judged. Also how foreign bytes are shown to people.

use super::super::host::Host;
use super::super::parts::{Authority, Parts};
use super::scheme::is_forbidden;
use super::{Finding, Rule};

/// Longest redirect URI in bytes. A longer one is not looked at, so that no input costs much time; servers accept less.
pub(super) const LONGEST: usize = 8 * 1024;

/// What a native application should register when nothing better is known.
pub(super) const NATIVE_DEFAULT: &str = "http://127.0.0.1:0/callback";

/// Characters of an explanation or of a remedy.
const SHOWN: usize = 200;

/// The finding that stops all others, or `None` when the text can be taken apart.
pub(super) fn fault(uri: &str) -> Option<Finding> {
    let broken = |why: &str, remedy| Some(Rule::ThreeSlashes.broken(why, remedy));
    if uri.len() > LONGEST {
        return broken("it is longer than 8192 bytes", None);
    }
    if uri.is_empty() {
        return broken("it is empty", Some(NATIVE_DEFAULT.to_owned()));
    }
    if let Some(foreign) = foreign_character(uri) {
        let why = match foreign {
            '\\' => "a backslash is read as `/` by browsers and as text by others".to_owned(),
            _ if foreign.is_whitespace() || foreign.is_control() => {
                format!("white space and control characters have no place in a URI: `{foreign}`")
            }
            _ => format!("`{foreign}` is not a character of a URI (RFC 3986 section 2)"),
        };
        return broken(&why, repaired(uri));
    }
    if has_malformed_escape(uri) {
        return broken("`%` is not followed by two hexadecimal digits", repaired(uri));
    }
    let parts = Parts::split(uri);
    if lacks_scheme(&parts) {
        return broken("there is no scheme", with_scheme(uri));
    }
    if has_misplaced_bracket(&parts) {
        let why = "square brackets are allowed only around an IPv6 address";
        return broken(why, repaired(uri));
    }
    None
}

/// Safe to print: visible ASCII stays, everything else becomes an escape, and a long text is cut
/// with `…`, which no URI contains, so that a cut remedy cannot be registered by mistake.
pub(super) fn shown(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() > SHOWN {
            break;
        }
        match character {
            ' '..='~' => line.push(character),
            _ => line.extend(character.escape_default()),
        }
    }
    // ASCII throughout: a byte is a character
    if line.len() > SHOWN {
        line.truncate(SHOWN);
        line.push('…');
    }
    line
}

/// Well-formed as rule 2 wants it: `scheme://`, then a path that begins with `/`.
pub(super) fn well_formed(parts: Parts<'_>) -> String {
    let authority = parts.authority.unwrap_or(Authority { userinfo: None, host: "", port: None });
    let path = match parts.path {
        "" => "/".to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => format!("/{path}"),
    };
    Parts { authority: Some(authority), path: &path, ..parts }.join()
}

fn foreign_character(uri: &str) -> Option<char> {
    uri.chars().find(|&character| !is_uri_character(character))
}

fn has_misplaced_bracket(parts: &Parts<'_>) -> bool {
    [Some(parts.path), parts.query, parts.fragment].into_iter().flatten().any(|text| text.contains(['[', ']']))
}

/// The same questions as `fault`, without the remedies.
fn is_uri(text: &str) -> bool {
    let parts = Parts::split(text);
    text.len() <= LONGEST
        && foreign_character(text).is_none()
        && !has_malformed_escape(text)
        && !lacks_scheme(&parts)
        && !has_misplaced_bracket(&parts)
}

/// RFC 3986 section 2: unreserved, reserved, and the sign of an escape.
fn is_uri_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

fn has_malformed_escape(uri: &str) -> bool {
    uri.split('%').skip(1).any(|after| !begins_with_hex(after))
}

fn begins_with_hex(text: &str) -> bool {
    let digits = text.as_bytes().first_chunk::<2>();
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// `host:1234/path` and `[::1]:1234/path` count: what stands before the colon is a host.
fn lacks_scheme(parts: &Parts<'_>) -> bool {
    let Some(scheme) = parts.scheme else {
        return true;
    };
    let port = parts.path.split('/').next().unwrap_or_default();
    let looks_like_a_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    scheme.is_empty()
        || scheme.starts_with('[')
        || (parts.authority.is_none() && looks_like_a_port && !is_forbidden(scheme))
}

fn with_scheme(uri: &str) -> Option<String> {
    let bare = uri.trim_start_matches([':', '/']);
    let authority = format!("//{}", bare.split(['/', '?', '#']).next().unwrap_or(bare));
    let host = Parts::split(&authority).host();
    let scheme = match Host::of(host) {
        Host::Localhost | Host::LoopbackV4 | Host::LoopbackV6 => "http",
        Host::Name if host.contains('.') || uri.starts_with("//") => "https",
        _ => return Some(NATIVE_DEFAULT.to_owned()),
    };
    let complete = format!("{scheme}://{bare}");
    let line = well_formed(Parts::split(&complete));
    is_uri(&line).then_some(line)
}

/// The text without its wrapping and line breaks, with what is left of foreign characters escaped.
/// `None` when a foreign character stands where no escape is allowed.
fn repaired(uri: &str) -> Option<String> {
    let wrapping = |character: char| {
        character.is_whitespace() || character.is_control() || matches!(character, '"' | '<' | '>' | '`' | '\u{feff}')
    };
    let bare = uri.trim_matches(wrapping).replace('\\', "/");
    let bare: String = bare.chars().filter(|character| !character.is_control()).collect();
    let after_authority = match bare.split_once("://") {
        Some((scheme, rest)) => scheme.len() + 3 + rest.find(['/', '?', '#']).unwrap_or(rest.len()),
        None => bare.len(),
    };
    let (front, back) = bare.split_at(after_authority);
    let mut line = front.to_owned();
    for (at, character) in back.char_indices() {
        let lone_sign = character == '%' && !begins_with_hex(&back[at + 1..]);
        let misplaced = matches!(character, '[' | ']');
        if is_uri_character(character) && !lone_sign && !misplaced {
            line.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            line.push_str(&format!("%{byte:02X}"));
        }
    }
    if !line.contains("://") {
        return None;
    }
    let line = well_formed(Parts::split(&line));
    is_uri(&line).then_some(line)
}
