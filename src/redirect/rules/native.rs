//! The four native rules: what `http://127.0.0.1:0/callback` must look like (RFC 8252
//! section 7.3). A port of zero makes a URI native; every other URI they leave alone.

use super::super::host::{self, LOOPBACK_V4, LOOPBACK_V6};
use super::super::parts::Parts;
use super::{Finding, Rule, Verdict};

/// The last four findings, in order, given the ten before them.
pub(super) fn judge(parts: &Parts<'_>, general: &[Finding]) -> Vec<Finding> {
    let rules = [Rule::NativeScheme, Rule::NativeHost, Rule::NativePort, Rule::NativeGeneral];
    if !parts.is_native() {
        let finding = |rule: Rule| rule.not_applicable("the port is not 0");
        return rules.into_iter().map(finding).collect();
    }
    vec![scheme(parts), loopback(parts), port(parts), general_rules(general)]
}

/// Native rule 4; names the general rules that are broken.
pub(super) fn general_rules(general: &[Finding]) -> Finding {
    let broken: Vec<_> = general
        .iter()
        .filter(|finding| finding.verdict == Verdict::Broken)
        .map(|finding| finding.rule.number())
        .collect();
    if broken.is_empty() {
        return Rule::NativeGeneral.holds("no general rule is broken");
    }
    let why = format!("broken general rules: {}", broken.join(", "));
    Rule::NativeGeneral.broken(&why, None)
}

/// Byte for byte: `HTTP://` is refused, since what is registered is compared as text.
fn scheme(parts: &Parts<'_>) -> Finding {
    match parts.scheme {
        Some("http") => Rule::NativeScheme.holds("the scheme is http"),
        _ => Rule::NativeScheme.broken("with port 0 the scheme must be `http`, in lower case", Some(repaired(parts))),
    }
}

/// Only the two literals: whatever else resolves to this machine today may not tomorrow, and
/// another program can hold the same port of the other address (docs/threats.md, L02 and L04).
fn loopback(parts: &Parts<'_>) -> Finding {
    let rule = Rule::NativeHost;
    if parts.userinfo().is_some() {
        return rule.broken("nothing may stand before the host", Some(repaired(parts)));
    }
    match parts.host() {
        LOOPBACK_V4 | LOOPBACK_V6 => rule.holds("the host is a loopback address"),
        host => {
            let why = format!("with port 0 the host must be 127.0.0.1 or [::1], not `{host}`");
            rule.broken(&why, Some(repaired(parts)))
        }
    }
}

fn port(parts: &Parts<'_>) -> Finding {
    match parts.port() {
        Some("0") => Rule::NativePort.holds("0 stands for any port"),
        _ => Rule::NativePort.broken("the port must be written as one 0", Some(repaired(parts))),
    }
}

/// One line that satisfies the first three rules at once.
fn repaired(parts: &Parts<'_>) -> String {
    let plain = host::plain_spelling(parts.host());
    let host = match plain.as_deref() {
        Some(LOOPBACK_V6) => LOOPBACK_V6,
        _ => LOOPBACK_V4,
    };
    let native = Parts { scheme: Some("http"), ..parts.with_host(host).with_port(Some("0")) };
    native.join()
}
