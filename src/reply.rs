//! What is answered, as data: a status, fields that cannot be forged, a body.
//!
//! Every value comes from a constant of the program except [`Location`], [`Forwarding`] and [`FieldValue`], which are
//! checked, and the body, whose type is always stated. How a reply becomes bytes on a socket is the listener's affair.

mod page;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, fmt};

pub(crate) use page::page;

/// One HTTP reply. Its `Debug` shows neither body nor Location, which may carry codes and tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    /// `None` where there is no content at all.
    content_type: Option<&'static str>,
    policy: ContentSecurityPolicy,
    destination: Option<Destination>,
    others: Vec<(&'static str, Cow<'static, str>)>,
    body: Cow<'static, [u8]>,
}

/// Where a redirect leads.
#[derive(Clone, PartialEq, Eq)]
enum Destination {
    Forwarding(Forwarding),
    Location(Location),
}

/// What the page may do (Content Security Policy Level 3). No page of this program runs a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentSecurityPolicy {
    /// A page with a form whose answer may be a redirect to another port of 127.0.0.1: browsers hold `form-action`
    /// against redirects too. The grammar has no IPv6 host, so a redirect to `[::1]` is only possible to the same port.
    Form,
    /// A page that is only read.
    Page,
}

impl ContentSecurityPolicy {
    fn value(self) -> &'static str {
        match self {
            Self::Form => {
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                 form-action 'self' http://127.0.0.1:*; frame-ancestors 'none'"
            }
            Self::Page => {
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'"
            }
        }
    }
}

/// The value of a Location field (RFC 9110 §10.2.2): visible ASCII, so that no CR LF can start a field of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Location(Cow<'static, str>);

/// A Location that ends in a query copied byte for byte: also bytes of 0x80 and above (`obs-text`, RFC 9110 §5.5), which
/// to encode would be to change. No control and no space, so that no CR LF can start a field of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Forwarding(Vec<u8>);

impl Forwarding {
    /// `None` for an empty value, and for one with a control byte or a space in it.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        // All of them, without a branch a byte.
        let unfit = |byte: u8| u8::from(byte <= b' ') | u8::from(byte == 0x7f);
        let unfit = bytes.iter().fold(0, |found, &byte| found | unfit(byte));
        (unfit == 0 && !bytes.is_empty()).then_some(Self(bytes))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forwarding([redacted])")
    }
}

/// The value of a field that is made while the program runs: a cookie, an origin, a number of seconds. Visible ASCII and
/// space, so that no CR LF can start a field of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldValue(String);

impl FieldValue {
    /// `None` when it is empty, begins or ends in a space, or holds a byte outside 0x20 to 0x7E.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fit = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) && text.trim() == text && !text.is_empty();
        fit.then_some(Self(text))
    }
}

impl From<u64> for FieldValue {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FieldValue([redacted])")
    }
}

/// The text is empty or holds a byte that is not visible ASCII. Percent-encode it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotALocation;

impl Location {
    /// # Errors
    /// The text is empty or holds a byte outside 0x21 to 0x7E.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Result<Self, NotALocation> {
        let text = text.into();
        if is_visible_ascii(text.as_bytes()) { Ok(Self(text)) } else { Err(NotALocation) }
    }

    /// For a constant: `const DONE: Location = Location::from_static("/done");`
    ///
    /// # Panics
    /// As [`Location::new`] errs; in a `const` the build fails instead.
    pub const fn from_static(text: &'static str) -> Self {
        assert!(is_visible_ascii(text.as_bytes()), "a Location is visible ASCII");
        Self(Cow::Borrowed(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Location([redacted])")
    }
}

impl fmt::Display for NotALocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Location must be visible ASCII; percent-encode other bytes first")
    }
}

impl std::error::Error for NotALocation {}

impl Reply {
    /// A page.
    pub fn html(status: u16, page: impl Into<Cow<'static, str>>) -> Self {
        let body = match page.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self::new(status, "text/html; charset=utf-8", body)
    }

    /// A JSON text, as bytes of UTF-8.
    pub fn json(status: u16, body: Vec<u8>) -> Self {
        Self::new(status, "application/json; charset=utf-8", Cow::Owned(body))
    }

    pub fn text(status: u16, text: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", Cow::Borrowed(text.as_bytes()))
    }

    /// A body of any type.
    pub fn bytes(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self::new(status, content_type, Cow::Owned(body))
    }

    /// `status` is 302, 303 or 307 (RFC 9110 §15.4).
    pub fn redirect(status: u16, location: Location) -> Self {
        Self { destination: Some(Destination::Location(location)), ..Self::status(status) }
    }

    /// 307 without content: the same request, there (RFC 9110 §15.4.8).
    pub fn forward(to: Forwarding) -> Self {
        let destination = Some(Destination::Forwarding(to));
        Self { content_type: None, destination, ..Self::new(307, "", Cow::Borrowed(&[])) }
    }

    /// A small fixed page that says what the status says. Never empty: for a 4xx without a body a browser shows
    /// an error page of its own.
    pub fn status(status: u16) -> Self {
        let words = words(status);
        // The icon in the page keeps the browser from asking for /favicon.ico.
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{words}</title>\
             <link rel=\"icon\" href=\"data:,\"><p>{words}</p></html>\n"
        );
        Self::html(status, page)
    }

    /// Replaces [`ContentSecurityPolicy::Page`].
    pub fn with_policy(self, policy: ContentSecurityPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The methods of a 405 (RFC 9110 §10.2.1), such as `GET`.
    pub fn allow(self, methods: &'static str) -> Self {
        self.with_field("Allow", methods)
    }

    /// One more field. Name and value are constants of the program: nothing that was received may come here.
    pub fn with_field(mut self, name: &'static str, value: &'static str) -> Self {
        self.others.push((name, Cow::Borrowed(value)));
        self
    }

    /// One more field, with a value that is made while the program runs.
    pub fn with_value(mut self, name: &'static str, value: FieldValue) -> Self {
        self.others.push((name, Cow::Owned(value.0)));
        self
    }

    /// The status code that is sent.
    pub fn status_code(&self) -> u16 {
        self.status
    }

    pub fn location(&self) -> Option<&Location> {
        match &self.destination {
            Some(Destination::Location(location)) => Some(location),
            Some(Destination::Forwarding(_)) | None => None,
        }
    }

    /// The Location of [`Reply::forward`], which is not among [`Reply::fields`]: it need not be text.
    pub fn forwarding(&self) -> Option<&Forwarding> {
        match &self.destination {
            Some(Destination::Forwarding(to)) => Some(to),
            Some(Destination::Location(_)) | None => None,
        }
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub fn into_body(self) -> Cow<'static, [u8]> {
        self.body
    }

    /// All fields but [`Reply::forwarding`] and those that only the connection knows: Connection, Content-Length, Date,
    /// Server.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let always = [
            // RFC 9111 §5.2.2.5: a reply of ours may stand for a code or carry a token.
            ("Cache-Control", "no-store"),
            // The address of the page may be a callback with a code in it.
            ("Referrer-Policy", "no-referrer"),
        ];
        let content = self.content_type.map(|content_type| {
            [
                ("Content-Type", content_type),
                ("X-Content-Type-Options", "nosniff"),
                ("X-Frame-Options", "DENY"),
                ("Content-Security-Policy", self.policy.value()),
            ]
        });
        // Old caches know no Cache-Control.
        let pragma = self.forwarding().map(|_| ("Pragma", "no-cache"));
        let location = self.location().into_iter().map(|location| ("Location", location.as_str()));
        always.into_iter().chain(content.into_iter().flatten()).chain(pragma).chain(location).chain(self.additional())
    }

    /// Those of [`Reply::fields`] that came by [`Reply::with_field`].
    pub fn additional(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.others.iter().map(|(name, value)| (*name, value.as_ref()))
    }

    fn new(status: u16, content_type: &'static str, body: Cow<'static, [u8]>) -> Self {
        let policy = ContentSecurityPolicy::Page;
        Self { status, content_type: Some(content_type), policy, destination: None, others: Vec::new(), body }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a person is told who meets a bare status.
fn words(status: u16) -> &'static str {
    match status {
        200..=299 => "Received.",
        300..=399 => "This page has moved.",
        400 => "This request could not be understood.",
        401 => "Credentials are needed here.",
        403 => "This is not allowed.",
        404 => "There is nothing here.",
        405 => "This method is not allowed here.",
        408 => "The request took too long to arrive.",
        413 => "The request is too large.",
        414 => "The address is too long.",
        421 => "This address does not belong here.",
        431 => "The request's header fields are too large.",
        505 => "This version of HTTP is not spoken here.",
        500..=599 => "Something went wrong here.",
        _ => "This request was refused.",
    }
}

const fn is_visible_ascii(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_graphic() {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}
