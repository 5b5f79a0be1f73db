//! Rules 3 and 4, which speak of the scheme: https before http, and what a custom scheme may be.

use super::super::host::Host;
use super::super::parts::{Parts, SchemeKind};
use super::text::NATIVE_DEFAULT;
use super::{Finding, Rule};

/// Schemes that run code, read this machine or its browser, or never reach an application.
const FORBIDDEN_SCHEMES: [&str; 19] = [
    "about",
    "blob",
    "chrome",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "resource",
    "smb",
    "ssh",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// Plain http is fine on loopback, where nothing leaves the machine (RFC 8252 section 8.3).
pub(super) fn https(parts: &Parts<'_>) -> Finding {
    let rule = Rule::HttpsPreferred;
    let on_loopback =
        matches!(Host::of(parts.host()), Host::Localhost | Host::LocalhostAlike | Host::LoopbackV4 | Host::LoopbackV6);
    match parts.scheme_kind() {
        SchemeKind::Custom => rule.not_applicable("a custom scheme is not carried over a network"),
        SchemeKind::Https => rule.holds("the scheme is https"),
        SchemeKind::Http if parts.is_native() => rule.not_applicable("native rule 1 asks for http where the port is 0"),
        SchemeKind::Http if on_loopback => rule.holds("on loopback nothing leaves the machine"),
        SchemeKind::Http => {
            let port = parts.port().filter(|&port| port != "80");
            let secure = Parts { scheme: Some("https"), ..parts.with_port(port) };
            rule.warning("http is readable on the way; providers may refuse it", Some(secure.join()))
        }
    }
}

/// `_` is not a scheme character in RFC 3986 section 3.1, but iRacing's own example, `my_iracing_app://`, has one.
pub(super) fn custom(parts: &Parts<'_>) -> Finding {
    let rule = Rule::CustomScheme;
    let scheme = parts.scheme.unwrap_or_default();
    if parts.scheme_kind() != SchemeKind::Custom {
        return rule.not_applicable("the scheme is not a custom one");
    }
    if is_forbidden(scheme) {
        let why = format!("`{scheme}:` never leads to an application, or runs what follows it");
        return rule.broken(&why, Some(NATIVE_DEFAULT.to_owned()));
    }
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
    let begins_well = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
    if !begins_well || !scheme.as_bytes().iter().all(legal) {
        let kept: String = scheme
            .chars()
            .filter(|character| character.is_ascii_alphanumeric() || "+-._".contains(*character))
            .skip_while(|character| !character.is_ascii_alphabetic())
            .collect();
        let repaired = Parts { scheme: Some(&kept), ..*parts };
        let usable = !kept.is_empty() && !is_forbidden(&kept);
        return rule.broken(
            "a scheme begins with a letter, then letters, digits, `+`, `-` and `.`",
            usable.then(|| repaired.join()),
        );
    }
    // only the application's maker knows its domain: there is no line to propose
    if scheme.contains('_') {
        return rule.warning(
            "`_` is not a scheme character everywhere, and a reversed domain is preferred, as in com.example.app",
            None,
        );
    }
    let labels = scheme.split('.').filter(|label| !label.is_empty()).count();
    if labels < 2 || labels != scheme.split('.').count() {
        return rule.warning(
            "any application can claim this scheme; a reversed domain is preferred, as in com.example.app",
            None,
        );
    }
    rule.holds("the scheme is a reversed domain")
}

/// Letter case aside: no program tells `JavaScript:` from `javascript:`.
pub(super) fn is_forbidden(scheme: &str) -> bool {
    FORBIDDEN_SCHEMES.iter().any(|forbidden| scheme.eq_ignore_ascii_case(forbidden))
}
