//! Queries that relays and servers have altered, cut off or lost: what `relay check` sends, and the tests with it.

/// One query as it stands behind the path, its `?` included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OddQuery {
    /// What is odd about it, in words.
    pub name: &'static str,
    pub bytes: &'static [u8],
    pub refusal: Refusable,
}

/// Whether 400 is an answer to it that keeps the promise: nothing is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusable {
    /// It has to come back: every part of it is in answers of real providers.
    No,
    /// No URI has such a byte (RFC 3986 §2), so a server in front may refuse it. This relay copies it.
    Tolerated,
    /// It is no request target at all (RFC 9112 §3.2): 400 is the only right answer.
    Required,
}

const fn real(name: &'static str, bytes: &'static [u8]) -> OddQuery {
    OddQuery { name, bytes, refusal: Refusable::No }
}

const fn beyond(name: &'static str, bytes: &'static [u8]) -> OddQuery {
    OddQuery { name, bytes, refusal: Refusable::Tolerated }
}

const fn none(name: &'static str, bytes: &'static [u8]) -> OddQuery {
    OddQuery { name, bytes, refusal: Refusable::Required }
}

/// All of them.
pub const ODD_QUERIES: [OddQuery; 25] = [
    real("a plain answer", b"?code=abc123&state=xyz"),
    real("a denied consent", b"?error=access_denied&error_description=The+person+said+no&state=xyz"),
    real("no query", b""),
    real("an empty query", b"?"),
    real("two question marks", b"??"),
    real("a question mark in the query", b"?a?b"),
    real("plus signs, bare and escaped", b"?code=1+2&state=1%2B2&c=%2b"),
    real("escapes in both letter cases", b"?code=%c3%a9&state=%C3%A9"),
    real("escaped spaces", b"?scope=openid%20email+profile"),
    real("parameters out of order and twice", b"?z=1&a=2&z=3&A=4"),
    real("empty parameters", b"?&&=&a=&=b&"),
    real("escaped line ends", b"?state=%0d%0aLocation:%20https://evil.example/%0A"),
    real("escaped controls and broken UTF-8", b"?state=%00%1f%7f%ff%c3%28"),
    real("double escapes", b"?state=%2525%252F%252e"),
    real("a URL with dots and slashes", b"?return=https://evil.example//a/../%2e%2e/%2f&state=/../.."),
    real("every delimiter of RFC 3986", b"?a.b-c_d~e!f$g(h)i*j,k;l:m@n/o?p=q+r"),
    real("an apostrophe", b"?name=O'Neill&state='"),
    real("what servers take for variables", b"?a=$args&b=${uri}&c={provider}&d=$1&e={query}&f=%s"),
    real("6,000 bytes", &LONG),
    beyond("what is no escape", b"?%zz&%&a=%&b=%4"),
    beyond("quotes and angle brackets", b"?a=\"b\"&c=<d>&e=[f]"),
    beyond("braces, pipe, caret, backquote, backslash", b"?{a}|b^`c\\d"),
    beyond("bytes of 0x80 and above", b"?caf\xe9=\x80\xff&ok=\xc3\xa9"),
    none("a fragment", b"?code=a#state=b"),
    none("a tab", b"?a=\tb"),
];

/// Longer than some defaults, shorter than those of common proxies.
const LONG: [u8; 6000] = {
    let mut bytes = [b'q'; 6000];
    let start = b"?state=";
    let mut at = 0;
    while at < start.len() {
        bytes[at] = start[at];
        at += 1;
    }
    bytes
};
