//! The ten general rules, each judged on one URI as far as one URI can tell. Where the port is 0
//! the native rules override what they contradict: no https and no host name is asked for then.

use super::super::host::{self, Host};
use super::super::parts::{Authority, Parts, SchemeKind, canonical_port};
use super::text::{NATIVE_DEFAULT, well_formed};
use super::{Finding, Rule, Verdict, scheme};

/// The paths that rule 8 prefers: those that applications usually register.
const USUAL_PATHS: [&str; 4] = ["/", "/callback", "/redirect", "/login"];

/// The first ten findings, in order.
pub(super) fn judge(parts: &Parts<'_>) -> Vec<Finding> {
    vec![
        exact_match(parts),
        three_slashes(parts),
        scheme::https(parts),
        scheme::custom(parts),
        host_name(parts),
        explicit_port(parts),
        implicit_port(parts),
        path(parts),
        parameters(parts),
        fragment(parts),
    ]
}

/// Whether two URIs match is for `compare`; alone, a URI can only be easy to get wrong.
fn exact_match(parts: &Parts<'_>) -> Finding {
    let upper = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
    let scheme = parts.scheme.unwrap_or_default();
    // browsers fold the host of http and https alone
    let host = match parts.scheme_kind() {
        SchemeKind::Custom => "",
        SchemeKind::Http | SchemeKind::Https => parts.host(),
    };
    if !upper(scheme) && !upper(host) {
        return Rule::ExactMatch.holds("it is compared byte for byte");
    }
    let scheme = scheme.to_ascii_lowercase();
    let host = match parts.scheme_kind() {
        SchemeKind::Custom => parts.host().to_owned(),
        SchemeKind::Http | SchemeKind::Https => parts.host().to_ascii_lowercase(),
    };
    let lower = Parts {
        scheme: Some(&scheme),
        authority: parts.authority.map(|authority| Authority { host: &host, ..authority }),
        ..*parts
    };
    Rule::ExactMatch
        .warning("browsers write scheme and host in lower case, providers compare bytes", Some(lower.join()))
}

/// Three slashes at their places, not three anywhere: `https://a?x=/` has no path either.
fn three_slashes(parts: &Parts<'_>) -> Finding {
    let rule = Rule::ThreeSlashes;
    if parts.authority.is_some() && parts.path.starts_with('/') {
        return rule.holds("`scheme://` and a path that begins with `/`");
    }
    if parts.authority.is_some() {
        let why = "the `/` after the host is missing";
        let names_nothing = parts.host().is_empty();
        return match parts.scheme_kind() {
            SchemeKind::Custom if names_nothing => rule.broken(why, Some(well_formed(parts.with_host("callback")))),
            SchemeKind::Http | SchemeKind::Https if names_nothing => rule.broken(why, Some(NATIVE_DEFAULT.to_owned())),
            _ => rule.broken(why, Some(well_formed(*parts))),
        };
    }
    let name = parts.scheme.unwrap_or_default();
    let rest = parts.path.trim_start_matches('/');
    let remedy = match parts.scheme_kind() {
        _ if rest.is_empty() || scheme::is_forbidden(name) => NATIVE_DEFAULT.to_owned(),
        SchemeKind::Custom => well_formed(*parts),
        SchemeKind::Http | SchemeKind::Https => well_formed(Parts::split(&format!("{name}://{rest}"))),
    };
    rule.broken("`//` after the scheme is missing", Some(remedy))
}

/// Also where a host that cannot be read one way only is refused, and anything before an `@`.
fn host_name(parts: &Parts<'_>) -> Finding {
    let rule = Rule::HostNamePreferred;
    let host = parts.host();
    if parts.is_native() {
        return rule.not_applicable("native rule 2 decides the host where the port is 0");
    }
    if parts.authority.is_none() {
        return rule.not_applicable("there is no host");
    }
    if parts.userinfo().is_some() {
        let bare = parts.with_host(host);
        let readable = host_name(&bare).verdict != Verdict::Broken;
        return rule.broken("what stands before `@` hides the real host", readable.then(|| bare.join()));
    }
    if parts.scheme_kind() == SchemeKind::Custom {
        return match Host::of(host) {
            Host::Malformed(why) if host.contains(['[', ']', ':']) => rule.broken(why, None),
            _ => rule.not_applicable("a custom scheme leads to an application, not to a host"),
        };
    }
    let plain = || host::plain_spelling(host).map(|plain| parts.with_host(&plain).join());
    match Host::of(host) {
        Host::Address => rule.warning("a host name is preferred to an IP address", None),
        Host::Localhost | Host::LocalhostAlike => rule.warning("127.0.0.1 or [::1] is preferred to localhost", plain()),
        Host::LoopbackV4 | Host::LoopbackV6 => rule.holds("the host is a loopback address"),
        Host::LoopbackAlike => {
            rule.warning("127.0.0.1 or [::1], written so, is preferred to other addresses of this machine", plain())
        }
        Host::Malformed(why) => rule.broken(why, readable_host(parts)),
        Host::Name => rule.holds("the host is a name"),
        Host::UnusualName(why) => {
            let bare = host.strip_suffix('.');
            rule.warning(why, bare.map(|bare| parts.with_host(bare).join()))
        }
    }
}

/// The URI with a host that can be read one way only, where it is clear which is meant.
fn readable_host(parts: &Parts<'_>) -> Option<String> {
    let host = parts.host();
    if host.is_empty() && parts.scheme_kind() == SchemeKind::Http {
        return Some(NATIVE_DEFAULT.to_owned());
    }
    if let Some(plain) = host::plain_spelling(host) {
        return Some(parts.with_host(&plain).join());
    }
    // `http://::1/`: without brackets the end of the address was taken for a port
    let whole = format!("{host}:{}", parts.port()?);
    let plain = host::plain_spelling(&whole)?;
    Some(parts.with_host(&plain).with_port(None).join())
}

fn explicit_port(parts: &Parts<'_>) -> Finding {
    let rule = Rule::ExplicitPort;
    let Some(port) = parts.port() else {
        return rule.holds("no port is stated");
    };
    if parts.is_native() || canonical_port(port).is_some() {
        return rule.holds("the port is stated in plain decimal");
    }
    // in `a:1:x` another colon would become the port's once `x` is gone
    let stating = |port: Option<&str>| {
        let line = parts.with_port(port).join();
        (Parts::split(&line).port() == port).then_some(line)
    };
    if port.is_empty() {
        return rule.broken("a colon without a port", stating(None));
    }
    let significant = port.trim_start_matches('0');
    let repaired = canonical_port(significant).map(|_| significant);
    rule.broken("a port is 0 to 65535 in decimal, without leading zeros", stating(repaired))
}

/// What is registered decides: with `:443` it has to be sent, without it must not be.
fn implicit_port(parts: &Parts<'_>) -> Finding {
    let rule = Rule::NoImplicitPort;
    let default = match parts.scheme_kind() {
        SchemeKind::Custom => return rule.not_applicable("a custom scheme has no default port"),
        SchemeKind::Http => "80",
        SchemeKind::Https => "443",
    };
    match parts.port() {
        None => rule.holds("to be sent without a port"),
        Some(port) if port == default => rule.warning(
            "the default port is stated: it must be sent with it, and many programs drop it",
            Some(parts.with_port(None).join()),
        ),
        Some(_) => rule.holds("to be sent with its port"),
    }
}

/// Any path, unless no browser can ask for it: `.` and `..` are resolved before the request is
/// made (RFC 3986 section 5.2.4), so the answer would arrive at another path.
fn path(parts: &Parts<'_>) -> Finding {
    let rule = Rule::AnyPath;
    if parts.authority.is_none() {
        return rule.not_applicable("there is no path before rule 2 holds");
    }
    if parts.path.split('/').any(|segment| dots(segment) > 0) {
        let resolved = without_dot_segments(parts.path);
        let repaired = Parts { path: &resolved, ..*parts };
        return rule.broken("browsers resolve `.` and `..` and arrive at another path", Some(repaired.join()));
    }
    if parts.path.is_empty() || USUAL_PATHS.contains(&parts.path) || is_own_callback(parts.path) {
        return rule.holds("the path is a usual one");
    }
    let usual = Parts { path: "/callback", ..*parts };
    rule.warning("`/`, `/callback`, `/callback/NAME`, `/redirect` and `/login` are the usual paths", Some(usual.join()))
}

/// `/callback/NAME`, which gives each integration a redirect of its own (RFC 8252 section 8.10).
fn is_own_callback(path: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    path.strip_prefix("/callback/")
        .is_some_and(|name| !name.is_empty() && name.len() <= 64 && name.bytes().all(allowed))
}

/// 1 for `.`, 2 for `..`, also where the dots are percent-encoded; else 0.
fn dots(segment: &str) -> usize {
    // `%2e%2e` is the longest spelling
    if segment.is_empty() || segment.len() > 6 {
        return 0;
    }
    match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
        "." => 1,
        ".." => 2,
        _ => 0,
    }
}

fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_dots = false;
    for segment in path.split('/').skip(1) {
        let dots = dots(segment);
        ends_in_dots = dots > 0;
        match dots {
            0 => kept.push(segment),
            1 => {}
            _ => drop(kept.pop()),
        }
    }
    if ends_in_dots {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

fn parameters(parts: &Parts<'_>) -> Finding {
    let rule = Rule::ExactParameters;
    match parts.query {
        None => rule.holds("there are no parameters"),
        Some("") => rule.warning(
            "the `?` without parameters must be sent too, and many programs drop it",
            Some(Parts { query: None, ..*parts }.join()),
        ),
        Some(query) if query.contains('\'') && parts.scheme_kind() != SchemeKind::Custom => {
            let escaped = query.replace('\'', "%27");
            let repaired = Parts { query: Some(&escaped), ..*parts };
            rule.warning("browsers turn `'` into `%27`", Some(repaired.join()))
        }
        Some(_) => rule.holds("to be sent with exactly these parameters"),
    }
}

fn fragment(parts: &Parts<'_>) -> Finding {
    match parts.fragment {
        None => Rule::NoFragment.holds("there is no fragment"),
        Some(_) => Rule::NoFragment.broken(
            "there must be no `#`, not even with nothing behind it",
            Some(Parts { fragment: None, ..*parts }.join()),
        ),
    }
}
