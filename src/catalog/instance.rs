//! Instances of a provider, such as self-hosted ones, that `baseUrl` may name in the service.

use super::{Host, ProviderDomain, SecretSource, SharedRedirect};
use crate::oauth::{ClientId, IssParameter};

/// An entry of `base_allow`: the server and the client that is registered there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The server.
    pub host: Host,
    /// The path of the instance there.
    pub path: InstancePath,
    /// `None`: the integration's client_id.
    pub client_id: Option<ClientId>,
    /// `None`: a public client. The integration's own secret is never sent to another server.
    pub client_secret: Option<SecretSource>,
    /// Whether the server sends `iss` (RFC 9207), so that it may share the integration's redirect URI.
    pub iss_parameter: IssParameter,
    /// Whether it may share the redirect URI with another server.
    pub shared_redirect: SharedRedirect,
}

impl Instance {
    /// The listed base URL, without a slash at its end.
    pub fn url(&self) -> String {
        format!("{}{}", self.host, self.path.0)
    }
}

/// The path of an instance on its server. Another path on that server may belong to somebody else, who must not get the
/// instance's secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstancePath(String);

impl InstancePath {
    /// Parses an empty path, or one that starts with a slash. Only characters with one spelling in a URL are allowed
    /// (RFC 3986 section 2.3), so that paths can be compared byte for byte.
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
        let whole = match path.strip_prefix('/') {
            Some(segments) => segments.split('/').all(segment),
            None => path.is_empty(),
        };
        whole.then(|| Self(path.to_owned()))
    }

    /// Whether `path` is this one or below it, in whole segments. An entry without a path covers the root only.
    pub fn covers(&self, path: &str) -> bool {
        match path.strip_prefix(self.0.as_str()) {
            Some("" | "/") => true,
            Some(rest) => !self.0.is_empty() && rest.starts_with('/'),
            None => false,
        }
    }
}

/// Servers that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// `"*"`: allowed at public addresses, without a secret.
    Public,
    /// They are rejected.
    #[default]
    Refused,
}

/// The `base_allow` of an integration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    /// The listed instances.
    pub listed: Vec<Instance>,
    /// `https://*.DOMAIN`: every host with one more label, with the integration's own client.
    pub domains: Vec<ProviderDomain>,
    /// What is allowed besides.
    pub others: Others,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h12_a_path_covers_itself_and_whole_segments_below_and_the_root_nothing_but_itself() {
        let covers = |entry: &str, path: &str| InstancePath::parse(entry).expect("a path").covers(path);
        for (entry, path) in [("", ""), ("", "/"), ("/", ""), ("/git", "/git"), ("/git/", "/git"), ("/git", "/git/")] {
            assert!(covers(entry, path), "{entry} {path}");
        }
        assert!(covers("/git", "/git/a") && covers("/a/b", "/a/b/c/d"));
        for (entry, path) in [
            ("", "/git"),
            ("/", "/git"),
            ("/git", ""),
            ("/git", "/"),
            ("/git", "/gitlab"),
            ("/git", "/Git"),
            ("/a/b", "/a"),
        ] {
            assert!(!covers(entry, path), "{entry} {path}");
        }
        for bad in
            ["git", "//", "/a//b", "/.", "/..", "/a/../b", "/%2e%2e", "/a%2fb", "/a\\b", "/a?b", "/a#b", "/a;b", "/é"]
        {
            assert_eq!(None, InstancePath::parse(bad), "{bad}");
        }
    }
}
