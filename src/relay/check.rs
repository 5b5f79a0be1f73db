//! Does a relay keep its promise? The requests that ask it, and the judgement of what came back, byte for byte.

use std::fmt;

use super::{
    Name, Providers, Relay, Route,
    file::SAMPLE,
    odd::{ODD_QUERIES, OddQuery, Refusable},
};
use crate::redirect::{Landing, Port, RegisteredRedirect};

/// One redirect URI that a route makes, and where its answers go.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    route: &'a Route,
    provider: For<'a>,
}

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For<'a> {
    /// A sample stands for all of them.
    Any,
    One(&'a Name),
    /// The route has no placeholder.
    Nobody,
}

/// What came of one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 307, and the Location is the target with the very same bytes behind it.
    Copied,
    /// 400, which is documented for this query.
    Refused,
    /// Anything else.
    Broken(Answer),
}

/// What stands in the head of a reply.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub location: Option<Vec<u8>>,
}

impl Relay {
    /// In the order of the file, and of the providers in it.
    pub fn callbacks(&self) -> impl Iterator<Item = Callback<'_>> {
        self.routes().iter().flat_map(|route| {
            let whom = match route.providers() {
                Providers::Any => vec![For::Any],
                Providers::Listed(names) => names.iter().map(For::One).collect(),
                Providers::None => vec![For::Nobody],
            };
            whom.into_iter().map(move |provider| Callback { route, provider })
        })
    }
}

impl<'a> Callback<'a> {
    pub fn route(&self) -> &'a Route {
        self.route
    }

    /// `None` where the route has no placeholder, or takes any name.
    pub fn provider(&self) -> Option<&'a str> {
        match self.provider {
            For::One(name) => Some(name.as_str()),
            For::Any | For::Nobody => None,
        }
    }

    /// To be registered at the provider, and entered where the answer is awaited: one string for both, since the
    /// provider compares them. With its `{provider}` where any name is taken.
    pub fn uri(&self) -> String {
        format!("https://{}{}", self.route.host(), self.shown(self.route.path()))
    }

    /// Where the answer goes, without its query.
    pub fn target(&self) -> String {
        self.shown(self.route.target())
    }

    /// The fixed port of this machine that the route ends on, if it does: a login waits there.
    pub fn loopback_port(&self) -> Option<Port> {
        match RegisteredRedirect::parse(&self.asked_target()).ok()?.landing() {
            Landing::Loopback { port, .. } => Some(port),
            Landing::Elsewhere => None,
        }
    }

    /// Of the target.
    pub fn target_host(&self) -> String {
        RegisteredRedirect::parse(&self.asked_target()).map(|target| target.host().to_owned()).unwrap_or_default()
    }

    /// The request that brings this query, whole.
    pub fn request(&self, query: &OddQuery) -> Vec<u8> {
        let path = self.route.0.path.with(self.asked());
        let fields = format!(" HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.route.host());
        [b"GET ", path.as_bytes(), query.bytes, fields.as_bytes()].concat()
    }

    pub fn judge(&self, query: &OddQuery, answer: Answer) -> Verdict {
        let copied = [self.asked_target().as_bytes(), query.bytes].concat();
        match (answer.status, query.refusal) {
            (307, Refusable::No | Refusable::Tolerated) if answer.location.as_ref() == Some(&copied) => Verdict::Copied,
            (400, Refusable::Tolerated | Refusable::Required) if answer.location.is_none() => Verdict::Refused,
            _ => Verdict::Broken(answer),
        }
    }

    /// Asks for every odd query.
    ///
    /// # Errors
    /// The first that `ask` had.
    pub fn check<E>(
        &self,
        mut ask: impl FnMut(&[u8]) -> Result<Answer, E>,
    ) -> Result<Vec<(&'static OddQuery, Verdict)>, E> {
        ODD_QUERIES.iter().map(|query| Ok((query, self.judge(query, ask(&self.request(query))?)))).collect()
    }

    fn asked_target(&self) -> String {
        self.route.0.target.with(self.asked())
    }

    /// What is put in the placeholder's place to ask.
    fn asked(&self) -> &'a str {
        match self.provider {
            For::One(name) => name.as_str(),
            For::Any | For::Nobody => SAMPLE,
        }
    }

    fn shown(&self, template: &str) -> String {
        match self.provider {
            For::One(name) => template.replace(super::template::PLACEHOLDER, name.as_str()),
            For::Any | For::Nobody => template.to_owned(),
        }
    }
}

impl Answer {
    /// The connection was closed instead.
    pub const NONE: Self = Self { status: 0, location: None };

    /// Reads the head of a reply (RFC 9112 §4). `None`: it is none, or its end is missing, or it has two Locations.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let mut lines = bytes[..end].split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let status = lines.next()?.strip_prefix(b"HTTP/1.")?.get(2..5)?;
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        let mut location = None;
        for line in lines {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            if name.eq_ignore_ascii_case(b"location") && location.replace(value.trim_ascii().to_vec()).is_some() {
                return None;
            }
        }
        Some(Self { status, location })
    }
}

/// What is not printable is escaped.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            0 => f.write_str("no reply")?,
            status => write!(f, "{status}")?,
        }
        match &self.location {
            Some(location) => write!(f, ", Location: {}", location.escape_ascii()),
            None => Ok(()),
        }
    }
}

/// Of a deployed relay it may hold what a stranger sent.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Where a relay is asked, as it is typed: scheme, host and port. No URL crate: none is needed for three pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub scheme: Scheme,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    /// As a Host field has it: without the scheme's own port.
    authority: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// The text is no `http://` or `https://` with a host and perhaps a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPlace;

impl fmt::Display for NotAPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write a scheme, a host and perhaps a port: https://acme.example or http://127.0.0.1:8080")
    }
}

impl std::error::Error for NotAPlace {}

impl Place {
    /// # Errors
    /// Another scheme, no host, a path other than `/`, userinfo, or a port that is none.
    pub fn parse(text: &str) -> Result<Self, NotAPlace> {
        let (scheme, rest, usual) = match text.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest, 80),
            Some(("https", rest)) => (Scheme::Https, rest, 443),
            _ => return Err(NotAPlace),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let port = port.map_or(Ok(usual), |port| port.parse().map_err(|_| NotAPlace))?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let fit = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(allowed),
        };
        if !fit || port == 0 {
            return Err(NotAPlace);
        }
        let authority = if port == usual { host.to_owned() } else { format!("{host}:{port}") };
        Ok(Self { scheme, host: bare.unwrap_or(host).to_owned(), port, authority })
    }

    /// Whether this callback's host is the one that is asked here.
    pub fn is_of(&self, callback: &Callback<'_>) -> bool {
        callback.route.host().eq_ignore_ascii_case(&self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = "[[route]]\nenvironment = \"production\"\nhost = \"acme.example\"\npath = \"/cb/{provider}\"\n\
                         target = \"https://api.example/{provider}\"\nproviders = [\"acme_fit\", \"other\"]\n";

    fn relay(text: &str) -> Relay {
        Relay::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn judged(query: &OddQuery, status: u16, location: Option<&[u8]>) -> Verdict {
        let relay = relay(ROUTE);
        let callback = relay.callbacks().next().expect("a route");
        callback.judge(query, Answer { status, location: location.map(<[u8]>::to_vec) })
    }

    #[test]
    fn each_provider_is_registered_with_a_uri_of_its_own() {
        let relay = relay(ROUTE);
        let uris: Vec<_> = relay.callbacks().map(|callback| (callback.uri(), callback.target())).collect();
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(
            uris,
            [
                pair("https://acme.example/cb/acme_fit", "https://api.example/acme_fit"),
                pair("https://acme.example/cb/other", "https://api.example/other"),
            ]
        );
        let any = Relay::parse(&ROUTE.replace("[\"acme_fit\", \"other\"]", "\"*\"")).expect("relay");
        assert_eq!("https://acme.example/cb/{provider}", any.callbacks().next().expect("a route").uri());
    }

    #[test]
    fn y01_only_the_very_same_bytes_count_as_copied() {
        for query in ODD_QUERIES.iter().filter(|query| query.refusal != Refusable::Required) {
            let copied = [b"https://api.example/acme_fit", query.bytes].concat();
            assert_eq!(Verdict::Copied, judged(query, 307, Some(&copied)), "{}", query.name);
            for (status, location) in [
                (302, Some(&copied[..])),
                (307, None),
                (307, Some(&b"https://api.example/acme_fit?other"[..])),
                (307, Some(&[&copied[..], b"&"].concat()[..])),
                (404, None),
                (200, None),
            ] {
                let verdict = judged(query, status, location);
                assert!(matches!(verdict, Verdict::Broken(_)), "{}: {status} is {verdict:?}", query.name);
            }
        }
    }

    #[test]
    fn y05_y07_a_refusal_counts_only_where_it_is_documented() {
        for query in &ODD_QUERIES {
            let verdict = judged(query, 400, None);
            assert_eq!(query.refusal != Refusable::No, verdict == Verdict::Refused, "{}", query.name);
            let forwarded = [b"https://api.example/acme_fit", query.bytes].concat();
            if query.refusal == Refusable::Required {
                assert!(matches!(judged(query, 307, Some(&forwarded)), Verdict::Broken(_)), "{}", query.name);
            }
        }
    }

    #[test]
    fn a_reply_is_read_to_the_byte() {
        let parsed =
            Answer::parse(b"HTTP/1.1 307 Temporary Redirect\r\nX: y\r\nlocation: a?\xff:\r\n\r\nbody").expect("head");
        assert_eq!((307, Some(&b"a?\xff:"[..])), (parsed.status, parsed.location.as_deref()));
        let broken: [&[u8]; 6] = [
            b"",
            b"HTTP/1.1 307 x\r\nLocation: a\r\n",
            b"HTTP/1.1 307 x\r\nLocation: a\r\nLocation: b\r\n\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/2 307\r\n\r\n",
            b"HTTP/1.1 307 x\r\nno colon\r\n\r\n",
        ];
        for bytes in broken {
            assert_eq!(None, Answer::parse(bytes), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_place_is_a_scheme_a_host_and_a_port() {
        let place =
            |text: &str| Place::parse(text).map(|place| (place.scheme, place.host, place.port, place.authority));
        let expected =
            |scheme, host: &str, port, authority: &str| Ok((scheme, host.to_owned(), port, authority.to_owned()));
        assert_eq!(expected(Scheme::Https, "acme.example", 443, "acme.example"), place("https://acme.example/"));
        assert_eq!(expected(Scheme::Https, "acme.example", 443, "acme.example"), place("https://acme.example:443"));
        assert_eq!(expected(Scheme::Http, "127.0.0.1", 8080, "127.0.0.1:8080"), place("http://127.0.0.1:8080"));
        assert_eq!(expected(Scheme::Http, "::1", 80, "[::1]"), place("http://[::1]"));
        for text in [
            "",
            "acme.example",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a?b",
            "https://u@a",
            "https://a:0",
            "https://a:b",
            "https://a:65536",
            "https://[::1",
            "https://a b",
        ] {
            assert_eq!(Err(NotAPlace), Place::parse(text), "{text}");
        }
    }
}
