//! The rules that speak of two URIs: the one registered and the one an application sends
//! (rules 1, 7 and 9, and native rule 3). Equality of bytes, nothing looser.

use super::super::parts::{Parts, canonical_port};
use super::{Finding, Rule};

/// Characters shown of either side where two URIs part.
const GLIMPSE: usize = 12;

/// A port to write in an example where the application has not named one. Any other would do.
const EXAMPLE_PORT: &str = "25417";

/// Findings that replace those of `check` on the registered URI.
pub(super) fn judge(registered: &str, sent: &str) -> Vec<Finding> {
    let pair = Pair { registered: Parts::split(registered), sent: Parts::split(sent) };
    let mut findings = vec![pair.exact_match(registered, sent), pair.implicit_port(), pair.parameters()];
    findings.extend(pair.fragment());
    findings.extend(pair.native_port());
    findings
}

struct Pair<'a> {
    registered: Parts<'a>,
    sent: Parts<'a>,
}

impl Pair<'_> {
    fn exact_match(&self, registered: &str, sent: &str) -> Finding {
        let rule = Rule::ExactMatch;
        let expected = self.expected();
        let expected = expected.as_deref().unwrap_or(registered);
        if !self.any_port() && registered == sent {
            return rule.holds("both are the same, byte for byte");
        }
        if self.any_port() && self.sent_port().is_some() && expected == sent {
            return rule.holds("both are the same, byte for byte, but for the port that 0 stands for");
        }
        rule.broken(&parting(expected, sent), Some(expected.to_owned()))
    }

    fn implicit_port(&self) -> Finding {
        let rule = Rule::NoImplicitPort;
        match (self.registered.port(), self.sent.port()) {
            (None, Some(_)) => rule.broken("a port is sent where none is registered", Some(self.registered.join())),
            (Some(_), None) => rule.broken(
                "the registered port is not sent",
                Some(self.expected().unwrap_or_else(|| self.registered.join())),
            ),
            (None, None) => rule.holds("neither has a port"),
            (Some(_), Some(_)) => rule.holds("both have a port"),
        }
    }

    fn parameters(&self) -> Finding {
        let rule = Rule::ExactParameters;
        if self.registered.query == self.sent.query {
            return rule.holds("the parameters are the same, byte for byte");
        }
        let repaired = Parts { query: self.registered.query, ..self.sent };
        rule.broken("the parameters are not the registered ones", Some(repaired.join()))
    }

    fn fragment(&self) -> Option<Finding> {
        self.sent.fragment?;
        let repaired = Parts { fragment: None, ..self.sent };
        let why = "there must be no `#` in what is sent";
        Some(Rule::NoFragment.broken(why, Some(repaired.join())))
    }

    /// The 0 itself is never sent: nothing listens there.
    fn native_port(&self) -> Option<Finding> {
        if !self.any_port() {
            return None;
        }
        Some(match self.sent_port() {
            Some(_) => Rule::NativePort.holds("a port stands in the place of 0"),
            None => Rule::NativePort.broken(
                "in the place of 0 the port of the listener is sent, 1 to 65535 in plain decimal",
                self.expected(),
            ),
        })
    }

    /// Written exactly `:0`; `:00` stands for nothing but itself.
    fn any_port(&self) -> bool {
        self.registered.port() == Some("0")
    }

    fn sent_port(&self) -> Option<&str> {
        self.sent.port().filter(|port| canonical_port(port).is_some())
    }

    /// What should have been sent for a native URI.
    fn expected(&self) -> Option<String> {
        let port = self.sent_port().unwrap_or(EXAMPLE_PORT);
        self.any_port().then(|| self.registered.with_port(Some(port)).join())
    }
}

/// Where the first difference is, in bytes from the start, and what stands there.
fn parting(expected: &str, sent: &str) -> String {
    let same = expected
        .char_indices()
        .zip(sent.chars())
        .find(|((_, left), right)| left != right)
        .map_or(expected.len().min(sent.len()), |((at, _), _)| at);
    let glimpse = |text: &str| {
        let rest = text.get(same..).unwrap_or_default();
        match rest.chars().take(GLIMPSE).collect::<String>() {
            rest if rest.is_empty() => "the end".to_owned(),
            rest => format!("`{rest}`"),
        }
    };
    format!("after {same} bytes {} is registered and {} is sent", glimpse(expected), glimpse(sent))
}
