//! The judgement of a redirect URI as it is shown.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    oauth::RemoteText,
    redirect::rules::{Finding, Report, Verdict},
};

/// Whether a redirect URI breaks a rule.
pub(super) fn is_broken(report: &Report) -> bool {
    report.broken().next().is_some()
}

pub(super) fn text(uri: &str, report: &Report, shared_by: &[String]) -> String {
    let mut text = format!("{}\n", RemoteText::new(uri));
    for finding in &report.findings {
        let sign = match finding.verdict {
            Verdict::Broken => "BROKEN ",
            Verdict::Holds => "holds  ",
            Verdict::NotApplicable => "-      ",
            Verdict::Warning => "warning",
        };
        let _ = writeln!(text, "  {sign} {:>8}  {}", finding.rule.number(), finding.rule.statement());
        if matches!(finding.verdict, Verdict::Broken | Verdict::Warning) {
            let _ = writeln!(text, "                    {}", finding.why);
            if let Some(remedy) = &finding.remedy {
                let _ = writeln!(text, "                    → {remedy}");
            }
        }
    }
    if !shared_by.is_empty() {
        let _ = writeln!(
            text,
            "  warning  {} use it at different servers, so one could get the other's code (RFC 9700 section 4.4.2)\n\
             \x20                   → give each integration one of its own: http://127.0.0.1:0/callback/NAME",
            shared_by.join(" and ")
        );
    }
    let (broken, warnings) = (report.broken().count(), report.warnings().count() + usize::from(!shared_by.is_empty()));
    let _ = match (broken, warnings) {
        (0, 0) => writeln!(text, "good"),
        (0, n) => writeln!(text, "good, with {n} {}", if n == 1 { "warning" } else { "warnings" }),
        (n, _) => writeln!(text, "not acceptable: {n} {} broken", if n == 1 { "rule is" } else { "rules are" }),
    };
    text
}

pub(super) fn json(uri: &str, report: &Report, shared_by: &[String]) -> Value {
    json!({
        "uri": uri, "broken": is_broken(report),
        "shared_by": shared_by,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn finding(f: &Finding) -> Value {
    let verdict = match f.verdict {
        Verdict::Broken => "broken",
        Verdict::Holds => "holds",
        Verdict::NotApplicable => "not_applicable",
        Verdict::Warning => "warning",
    };
    json!({ "rule": f.rule.number(), "statement": f.rule.statement(), "verdict": verdict, "why": f.why, "remedy": f.remedy })
}
