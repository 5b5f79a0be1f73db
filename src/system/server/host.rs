//! The Host field of a request (RFC 9112 section 3.2). It must occur once, be valid, and match the host of the target
//! if there is one: servers that disagree about a request's host can be attacked with that.

use hyper::{Version, header::HOST, http::request::Parts, http::uri::Authority};

/// Why a request is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// The target has another host.
    Differs,
    Malformed,
    Missing,
    Repeated,
}

impl HostFault {
    /// The text of the response, which repeats nothing from the request.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Differs => "the Host header is not the host of the request target\n",
            Self::Malformed => "the Host header is not a host\n",
            Self::Missing => "the Host header is missing\n",
            Self::Repeated => "the Host header is there more than once\n",
        }
    }
}

/// # Errors
/// RFC 9112 section 3.2 requires status 400.
pub fn judge(parts: &Parts) -> Result<(), HostFault> {
    let mut fields = parts.headers.get_all(HOST).iter();
    let field = match (fields.next(), fields.next()) {
        // HTTP/1.0 has no Host field.
        (None, _) if parts.version < Version::HTTP_11 => return Ok(()),
        (None, _) => return Err(HostFault::Missing),
        (Some(_), Some(_)) => return Err(HostFault::Repeated),
        (Some(field), None) => field,
    };
    let host = field.to_str().ok().filter(|text| is_host(text)).ok_or(HostFault::Malformed)?;
    match parts.uri.authority() {
        Some(target) if !is_host(target.as_str()) => Err(HostFault::Malformed),
        Some(target) if !host.eq_ignore_ascii_case(target.as_str()) => Err(HostFault::Differs),
        _ => Ok(()),
    }
}

/// A host with an optional port: no userinfo and no list.
fn is_host(text: &str) -> bool {
    let listed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+;=%:[]".contains(&b);
    !text.is_empty()
        && text.bytes().all(listed)
        && text.parse::<Authority>().is_ok_and(|parsed| !parsed.host().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(target: &str, hosts: &[&[u8]], version: Version) -> Result<(), HostFault> {
        let mut request = hyper::Request::builder().uri(target).version(version);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        judge(&request.body(()).expect("a request").into_parts().0)
    }

    #[test]
    fn h12_a_request_names_one_host_once() {
        let one = |target: &str, host: &str| judged(target, &[host.as_bytes()], Version::HTTP_11);
        for host in ["a.example", "a.example:8080", "127.0.0.1:1", "[::1]:8080", "A.Example"] {
            assert_eq!(Ok(()), one("/x", host), "{host}");
        }
        assert_eq!(Ok(()), one("http://a.example/x", "A.example"), "absolute form, the same host");
        assert_eq!(Err(HostFault::Differs), one("http://b.example/x", "a.example"));
        assert_eq!(Err(HostFault::Differs), one("http://a.example:81/x", "a.example"));
        assert_eq!(Err(HostFault::Malformed), one("http://u@a.example/x", "a.example"));
        for bad in [
            "",
            " ",
            "a b",
            "a,b",
            "a.example, b.example",
            "u@a.example",
            "a/b",
            "http://a",
            "a?b",
            "a#b",
            ":80",
            "a\\b",
        ] {
            assert_eq!(Err(HostFault::Malformed), one("/x", bad), "{bad:?}");
        }
        assert_eq!(Err(HostFault::Malformed), judged("/x", &[b"a\xff"], Version::HTTP_11));
        assert_eq!(Err(HostFault::Missing), judged("/x", &[], Version::HTTP_11));
        assert_eq!(Ok(()), judged("/x", &[], Version::HTTP_10));
        for version in [Version::HTTP_10, Version::HTTP_11] {
            assert_eq!(Err(HostFault::Repeated), judged("/x", &[b"a", b"a"], version));
        }
    }
}
