//! Who signs in: headless Chromium, or a person without a browser.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{Finished, installed, kit};

/// What stands in $BROWSER.
#[derive(Debug)]
pub struct Browser {
    pub(super) command: String,
    pub(super) variables: Vec<(String, String)>,
    /// Two of them at once are too much for a small machine.
    _alone: Option<MutexGuard<'static, ()>>,
}

impl Browser {
    fn command(script: &str, arguments: &str) -> String {
        format!("node '{}'{arguments}", kit(script).display())
    }

    /// A person without a browser, who allows. Whoever has a [`Provider`] has this too.
    pub fn person() -> Self {
        Self { command: Self::command("person.mjs", ""), variables: Vec::new(), _alone: None }
    }

    pub fn denying_person() -> Self {
        Self { command: Self::command("person.mjs", " --deny"), ..Self::person() }
    }

    /// Headless Chromium, whose person acts out a case of `chromium.mjs`.
    pub fn chromium(case: &str) -> Option<Self> {
        let alone = chromium()?;
        let browser = Self { command: Self::command("chromium.mjs", ""), variables: Vec::new(), _alone: Some(alone) };
        Some(browser.with("KIT_CASE", case))
    }

    /// With a variable of the kit's.
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_str().expect("text").to_owned()));
        self
    }
}

/// The place of the one Chromium that may run.
fn chromium() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::new(());
    installed(&["node", "chromium"], &["playwright-core", "axe-core"])?;
    Some(ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A case of `customer.mjs`, to its end.
pub fn customer(case: &str, service: &Value, variables: &[(&str, &str)]) -> Option<Value> {
    let _alone = chromium()?;
    let mut command = Command::new("node");
    command.arg(kit("customer.mjs")).arg(case).env("KIT_SERVICE", service.to_string()).envs(variables.iter().copied());
    let finished = Finished::new(command.stdin(Stdio::null()).output().expect("node runs"));
    let report: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|e| panic!("{e}: {finished:#?}"));
    assert_eq!(Value::Null, report["error"], "{case}: {}", report["error"].as_str().unwrap_or_default());
    Some(report)
}

/// A person without a browser on another device, who opens this page and enters this code where it is asked for.
pub fn on_another_device(page: &str, user_code: &str, arguments: &[&str]) -> Finished {
    let mut command = Command::new("node");
    command.arg(kit("person.mjs")).args(arguments).arg(page).env("KIT_USER_CODE", user_code);
    Finished::new(command.stdin(Stdio::null()).output().expect("node runs"))
}

/// A person without a browser, sent to a provider: where they would go on at an address that starts so.
pub fn consents(url: &str, back_to: &str) -> String {
    let mut command = Command::new("node");
    command.arg(kit("person.mjs")).arg(url).env("KIT_STOP", back_to);
    let finished = Finished::new(command.stdin(Stdio::null()).output().expect("node runs"));
    finished.assert_code(0);
    finished.stdout.lines().next().and_then(|line| line.strip_prefix("stopped ")).expect("an address").to_owned()
}

/// Files of a browser's profile that hold this text, as paths relative to it.
pub fn files_with(profile: &Path, needle: &str) -> Vec<String> {
    let output =
        Command::new("node").arg(kit("profile-grep.mjs")).arg(profile).arg(needle).output().expect("node runs");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}
