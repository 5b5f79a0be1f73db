//! What `loopin doctor` found: one line for each check.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::{Code, Failure};
use crate::oauth::printable;

/// One check of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub check: String,
    pub state: CheckState,
    pub message: String,
    /// A command or a line that fixes it.
    pub remedy: Option<String>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    Good,
    /// It works, or may be meant so.
    Warning,
    /// A login or a refresh fails, with this code.
    Bad(Code),
}

/// All checks, and for a bug report where they were made.
#[derive(Debug)]
pub struct Checkup {
    pub checks: Vec<Check>,
    pub machine: Option<Machine>,
}

/// What a bug report says of the machine.
#[derive(Debug)]
pub struct Machine {
    pub version: &'static str,
    pub platform: String,
    /// Names of environment variables, never their values.
    pub set: Vec<String>,
    pub unset: Vec<String>,
}

/// The exit code is the first of these that a check has: what may be an attack first, what may pass by itself last.
const WORST_FIRST: [Code; 4] = [Code::Refused, Code::Store, Code::Configuration, Code::Unavailable];

impl Check {
    fn new(check: impl fmt::Display, state: CheckState, message: impl fmt::Display) -> Self {
        Self { check: check.to_string(), state, message: one_line(&message.to_string()), remedy: None }
    }

    pub fn good(check: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::new(check, CheckState::Good, message)
    }

    pub fn warning(check: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::new(check, CheckState::Warning, message)
    }

    pub fn bad(check: impl fmt::Display, code: Code, message: impl fmt::Display) -> Self {
        Self::new(check, CheckState::Bad(code), message)
    }

    /// What a command would fail with.
    pub fn failed(check: impl fmt::Display, failure: Failure) -> Self {
        Self::bad(check, failure.code, failure.what).remedy(failure.remedy)
    }

    pub fn remedy(self, remedy: impl Into<Option<String>>) -> Self {
        Self { remedy: remedy.into().as_deref().map(one_line), ..self }
    }

    fn json(&self) -> Value {
        json!({ "check": self.check, "state": self.state.word(), "message": self.message, "remedy": self.remedy })
    }
}

/// Paths come from variables and files, and can contain anything.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if printable(c) { c } else { ' ' }).collect()
}

impl CheckState {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad(_) => "bad",
        }
    }
}

impl Checkup {
    pub(super) fn exit(&self) -> u8 {
        let bad = |check: &Check| match check.state {
            CheckState::Bad(code) => Some(code),
            CheckState::Good | CheckState::Warning => None,
        };
        let found = || self.checks.iter().filter_map(bad);
        let worst = WORST_FIRST.into_iter().find(|worst| found().any(|code| code == *worst));
        worst.or_else(|| found().next()).map_or(0, Code::exit)
    }

    pub(super) fn text(&self) -> String {
        let mut text = self.machine.as_ref().map(Machine::text).unwrap_or_default();
        let width = self.checks.iter().map(|check| check.check.chars().count()).max().unwrap_or(0);
        for Check { check, state, message, remedy } in &self.checks {
            let _ = writeln!(text, "{:7}  {check:width$}  {message}", state.word());
            if let Some(remedy) = remedy {
                let _ = writeln!(text, "{:width$}  → {remedy}", "", width = 9 + width);
            }
        }
        let count = |wanted: fn(&CheckState) -> bool| self.checks.iter().filter(|check| wanted(&check.state)).count();
        let bad = count(|state| matches!(state, CheckState::Bad(_)));
        let warnings = match count(|state| *state == CheckState::Warning) {
            0 => String::new(),
            1 => ", 1 warning".into(),
            many => format!(", {many} warnings"),
        };
        let _ = match bad {
            0 => writeln!(text, "ready{warnings}"),
            bad => writeln!(text, "not ready: {bad} bad{warnings}"),
        };
        text
    }

    pub(super) fn json(&self) -> Value {
        let mut value = json!({ "checks": self.checks.iter().map(Check::json).collect::<Vec<_>>() });
        if let Some(Machine { version, platform, set, unset }) = &self.machine {
            value["version"] = (*version).into();
            value["platform"] = platform.as_str().into();
            value["environment"] = json!({ "set": set, "unset": unset });
        }
        value
    }
}

impl Machine {
    fn text(&self) -> String {
        let names = |names: &[String]| if names.is_empty() { "-".to_owned() } else { one_line(&names.join(" ")) };
        format!(
            "loopin {}, {}\nvariables set    {}\nvariables unset  {}\n\n",
            self.version,
            self.platform,
            names(&self.set),
            names(&self.unset)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(codes: &[Code]) -> u8 {
        let bad = codes.iter().map(|code| Check::bad("a", *code, "b"));
        let checks = [Check::warning("w", "may be meant so")].into_iter().chain(bad).collect();
        Checkup { checks, machine: None }.exit()
    }

    #[test]
    fn the_exit_code_is_that_of_the_worst_trouble() {
        assert_eq!(0, exit(&[]), "a warning is no trouble");
        assert_eq!(7, exit(&[Code::Unavailable]));
        assert_eq!(3, exit(&[Code::Unavailable, Code::Configuration]));
        assert_eq!(8, exit(&[Code::Unavailable, Code::Configuration, Code::Store]));
        assert_eq!(9, exit(&[Code::Store, Code::Refused, Code::Configuration]));
        assert_eq!(1, exit(&[Code::Internal]), "any other counts where it is alone");
        assert_eq!(3, exit(&[Code::Internal, Code::Configuration]));
    }

    #[test]
    fn a_line_has_the_state_the_check_the_message_and_the_fix() {
        let checks = vec![
            Check::good("clock", "right"),
            Check::bad("redirect work", Code::Configuration, "port\n8080 is taken").remedy("free it".to_owned()),
        ];
        let checkup = Checkup { checks, machine: None };
        let text = checkup.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(["good     clock          right", "bad      redirect work  port 8080 is taken"], lines[..2]);
        assert_eq!(("→ free it", "not ready: 1 bad"), (lines[2].trim_start(), lines[3]));
    }
}
