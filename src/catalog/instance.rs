//! Instances of a provider beside its own, which `baseUrl` may name in the service: self-hosted ones.

use super::{Host, SecretSource, SharedRedirect};
use crate::oauth::{ClientId, IssParameter};

/// One entry of `base_allow`: the server, and the client that is registered at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub host: Host,
    pub path: InstancePath,
    /// Without one the integration's.
    pub client_id: Option<ClientId>,
    /// Without one the client is public there: the integration's own secret never goes to another server.
    pub client_secret: Option<SecretSource>,
    /// Whether it names itself in its answers (RFC 9207); then it may share the integration's redirect.
    pub iss_parameter: IssParameter,
    pub shared_redirect: SharedRedirect,
}

impl Instance {
    /// The base URL that the entry lists, without a slash at its end.
    pub fn url(&self) -> String {
        format!("{}{}", self.host, self.path.0)
    }
}

/// Where on its server an instance is: at the root, or at a path and below it. A path that the entry does not name could
/// be anybody's page on that server, and the instance's secret would be sent there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstancePath(String);

impl InstancePath {
    /// Empty, or from a slash on. Only characters that have one spelling in a URL (RFC 3986 section 2.3), so that a path
    /// can be compared byte for byte.
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

    /// Whether `path` is this one or, where the entry names one, below it. Whole segments count; at the root, there is no
    /// path below.
    pub fn covers(&self, path: &str) -> bool {
        match path.strip_prefix(self.0.as_str()) {
            Some("" | "/") => true,
            Some(rest) => !self.0.is_empty() && rest.starts_with('/'),
            None => false,
        }
    }
}

/// Servers that nobody listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// `"*"`: at public addresses, without any secret.
    Public,
    #[default]
    Refused,
}

/// `base_allow` of one integration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    pub listed: Vec<Instance>,
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
