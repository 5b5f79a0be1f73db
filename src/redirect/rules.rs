//! The fourteen rules for redirect URIs: ten general, four for native applications. `redirect check` prints them.
//! Every rule judges the bytes as given and says, where it is broken, which line would satisfy it.
//! No URL parser takes part: they correct what providers then compare byte for byte.

mod general;
mod native;
mod pair;
mod scheme;
#[cfg(test)]
mod tests;
mod text;

use super::parts::Parts;

/// One rule. The order is that of the numbers that `redirect check` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Rule 1; RFC 9700 section 2.1.
    ExactMatch,
    /// Rule 2. Also broken by a text that is no URI (RFC 3986) and so has no slashes to count.
    ThreeSlashes,
    /// Rule 3.
    HttpsPreferred,
    /// Rule 4; RFC 8252 section 7.1.
    CustomScheme,
    /// Rule 5. Also broken by a malformed host and by userinfo.
    HostNamePreferred,
    /// Rule 6. Also broken by a port that is not plain decimal.
    ExplicitPort,
    /// Rule 7.
    NoImplicitPort,
    /// Rule 8.
    AnyPath,
    /// Rule 9.
    ExactParameters,
    /// Rule 10; RFC 6749 section 3.1.2.
    NoFragment,
    /// Native rule 1; RFC 8252 section 7.3.
    NativeScheme,
    /// Native rule 2; RFC 8252 section 8.3.
    NativeHost,
    /// Native rule 3; RFC 8252 section 7.3.
    NativePort,
    /// Native rule 4.
    NativeGeneral,
}

/// What a rule says of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Holds,
    /// Allowed, yet another way is preferred.
    Warning,
    Broken,
    /// The rule is about other URIs, or another rule overrides it here.
    NotApplicable,
}

/// The verdict of one rule, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    pub verdict: Verdict,
    /// For people; foreign bytes are escaped, and it is cut at 200 characters.
    pub why: String,
    /// The line to write instead, where it is known; escaped and cut like `why`.
    pub remedy: Option<String>,
}

/// Fourteen findings, in the order of [`Rule::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub findings: Vec<Finding>,
}

/// Judges one URI. Rules 1, 7 and 9, which speak of what is sent later, warn where programs are
/// known to send something else than was registered; [`compare`] judges them in full.
pub fn check(uri: &str) -> Report {
    if let Some(fault) = text::fault(uri) {
        return Report::stopped_by(&fault);
    }
    let parts = Parts::split(uri);
    let mut findings = general::judge(&parts);
    findings.extend(native::judge(&parts, &findings));
    Report { findings }
}

/// Is `sent` what an application may send for `registered`? Rules 1, 7 and 9 byte for byte; for
/// `:0` any port from 1 to 65535 in plain decimal takes its place, and nothing else changes.
/// The other findings are those of [`check`] on `registered`.
pub fn compare(registered: &str, sent: &str) -> Report {
    let mut report = check(registered);
    for finding in pair::judge(registered, sent) {
        report.replace(finding);
    }
    if report.verdict(Rule::NativeGeneral) != Verdict::NotApplicable {
        let general = native::general_rules(&report.findings[..GENERAL]);
        report.replace(general);
    }
    report
}

/// How many of [`Rule::ALL`] are general; the native ones follow.
const GENERAL: usize = 10;

impl Rule {
    /// In the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::ExactMatch,
        Self::ThreeSlashes,
        Self::HttpsPreferred,
        Self::CustomScheme,
        Self::HostNamePreferred,
        Self::ExplicitPort,
        Self::NoImplicitPort,
        Self::AnyPath,
        Self::ExactParameters,
        Self::NoFragment,
        Self::NativeScheme,
        Self::NativeHost,
        Self::NativePort,
        Self::NativeGeneral,
    ];

    /// `1` to `10`, then `native 1` to `native 4`.
    pub fn number(self) -> &'static str {
        match self {
            Self::ExactMatch => "1",
            Self::ThreeSlashes => "2",
            Self::HttpsPreferred => "3",
            Self::CustomScheme => "4",
            Self::HostNamePreferred => "5",
            Self::ExplicitPort => "6",
            Self::NoImplicitPort => "7",
            Self::AnyPath => "8",
            Self::ExactParameters => "9",
            Self::NoFragment => "10",
            Self::NativeScheme => "native 1",
            Self::NativeHost => "native 2",
            Self::NativePort => "native 3",
            Self::NativeGeneral => "native 4",
        }
    }

    /// The rule in one short line.
    pub fn statement(self) -> &'static str {
        match self {
            Self::ExactMatch => "what is sent equals what is registered, byte for byte",
            Self::ThreeSlashes => "a well-formed URI: scheme://, a host, and a path that begins with /",
            Self::HttpsPreferred => "https rather than http",
            Self::CustomScheme => "a custom scheme is a reversed domain",
            Self::HostNamePreferred => "a host name rather than an address; 127.0.0.1 or [::1] rather than localhost",
            Self::ExplicitPort => "a port may be stated",
            Self::NoImplicitPort => "a default port is sent only if it is registered",
            Self::AnyPath => "any path, best a usual one",
            Self::ExactParameters => "the same parameters as registered",
            Self::NoFragment => "no fragment",
            Self::NativeScheme => "native: the scheme is http",
            Self::NativeHost => "native: the host is 127.0.0.1 or [::1]",
            Self::NativePort => "native: the port is 0, and any port is sent",
            Self::NativeGeneral => "native: the general rules hold too",
        }
    }

    fn holds(self, why: &str) -> Finding {
        Finding::new(self, Verdict::Holds, why, None)
    }

    fn not_applicable(self, why: &str) -> Finding {
        Finding::new(self, Verdict::NotApplicable, why, None)
    }

    fn warning(self, why: &str, remedy: Option<String>) -> Finding {
        Finding::new(self, Verdict::Warning, why, remedy)
    }

    fn broken(self, why: &str, remedy: Option<String>) -> Finding {
        Finding::new(self, Verdict::Broken, why, remedy)
    }
}

impl Finding {
    fn new(rule: Rule, verdict: Verdict, why: &str, remedy: Option<String>) -> Self {
        Self { rule, verdict, why: text::shown(why), remedy: remedy.map(|line| text::shown(&line)) }
    }
}

impl Report {
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.with(Verdict::Broken)
    }

    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.with(Verdict::Warning)
    }

    /// Of one rule.
    pub fn verdict(&self, rule: Rule) -> Verdict {
        let finding = self.findings.iter().find(|finding| finding.rule == rule);
        finding.map_or(Verdict::NotApplicable, |finding| finding.verdict)
    }

    fn with(&self, verdict: Verdict) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.verdict == verdict)
    }

    fn stopped_by(fault: &Finding) -> Self {
        let finding = |rule: Rule| {
            if rule == fault.rule {
                return fault.clone();
            }
            rule.not_applicable("not judged: the text is not a URI")
        };
        Self { findings: Rule::ALL.into_iter().map(finding).collect() }
    }

    fn replace(&mut self, finding: Finding) {
        for old in &mut self.findings {
            if old.rule == finding.rule {
                *old = finding;
                return;
            }
        }
    }
}
