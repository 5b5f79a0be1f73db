//! What `relay check` found, and which URI is to be written where.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::{
    redirect::Port,
    relay::{Answer, Callback, OddQuery, Verdict},
};

#[derive(Debug)]
pub struct RelayCheck {
    /// The deployed relay that was asked; else this program itself.
    pub against: Option<String>,
    pub callbacks: Vec<CheckedCallback>,
    /// URIs whose host is not the one that was asked.
    pub elsewhere: Vec<String>,
}

/// One redirect URI with what came of every query.
#[derive(Debug)]
pub struct CheckedCallback {
    environment: String,
    provider: Option<String>,
    uri: String,
    target: String,
    target_host: String,
    /// Where the target is on this machine.
    loopback_port: Option<Port>,
    results: Vec<(&'static OddQuery, Verdict)>,
}

impl CheckedCallback {
    pub fn new(callback: &Callback<'_>, results: Vec<(&'static OddQuery, Verdict)>) -> Self {
        Self {
            environment: callback.route().environment().to_string(),
            provider: callback.provider().map(str::to_owned),
            uri: callback.uri(),
            target: callback.target(),
            target_host: callback.target_host(),
            loopback_port: callback.loopback_port(),
            results,
        }
    }

    fn count(&self, verdict: &Verdict) -> usize {
        self.results.iter().filter(|(_, found)| found == verdict).count()
    }

    fn broken(&self) -> impl Iterator<Item = (&'static OddQuery, &Answer)> {
        self.results.iter().filter_map(|(query, verdict)| match verdict {
            Verdict::Broken(answer) => Some((*query, answer)),
            Verdict::Copied | Verdict::Refused => None,
        })
    }

    /// Who awaits the answer: a login on this machine, or the host of the target.
    fn awaits(&self) -> String {
        match self.loopback_port {
            Some(Port::Fixed(port)) => format!("loopin login NAME --relay {} --port {port}", self.uri),
            Some(Port::Ephemeral | Port::Unstated) => format!("loopin login NAME --relay {}", self.uri),
            None => format!("{} (at {})", self.uri, self.target_host),
        }
    }
}

impl RelayCheck {
    /// Something came back that was not sent.
    pub fn is_broken(&self) -> bool {
        self.callbacks.iter().any(|callback| callback.broken().next().is_some())
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        // Written into memory, which does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for callback in &self.callbacks {
            let provider = callback.provider.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
            let enter = if callback.loopback_port.is_some() { "log in with" } else { "enter" };
            writeln!(text, "{}{provider}", callback.environment)?;
            writeln!(text, "  register at the provider: {}", callback.uri)?;
            writeln!(text, "  {:<25} {}", format!("{enter}:"), callback.awaits())?;
            writeln!(text, "  {:<25} {}", "forwarded to:", callback.target)?;
            let (copied, refused) = (callback.count(&Verdict::Copied), callback.count(&Verdict::Refused));
            let broken = callback.results.len() - copied - refused;
            let sent = callback.results.len();
            writeln!(
                text,
                "  {:<25} {copied} copied byte for byte, {refused} refused as documented, {broken} broken",
                format!("{sent} odd queries:")
            )?;
            for (query, answer) in callback.broken() {
                writeln!(text, "    broken: {} ({}): {answer}", query.name, shortened(query.bytes))?;
            }
        }
        for uri in &self.elsewhere {
            writeln!(text, "not asked, since it has another host: {uri}")?;
        }
        let whom = self.against.as_deref().unwrap_or("this relay");
        match self.is_broken() {
            false => writeln!(text, "{whom} keeps every byte"),
            true => writeln!(text, "{whom} does not forward as it should: see the lines that say broken"),
        }
    }

    pub fn json(&self) -> Value {
        let callback = |callback: &CheckedCallback| {
            let broken = callback.broken().map(|(query, answer)| {
                json!({
                    "query": query.name,
                    "sent": query.bytes.escape_ascii().to_string(),
                    "status": answer.status,
                    "location": answer.location.as_ref().map(|location| location.escape_ascii().to_string()),
                })
            });
            json!({
                "environment": callback.environment,
                "provider": callback.provider,
                "register_at_provider": callback.uri,
                "enter_at_target": callback.uri,
                "target": callback.target,
                "queries": callback.results.len(),
                "copied": callback.count(&Verdict::Copied),
                "refused": callback.count(&Verdict::Refused),
                "failures": broken.collect::<Vec<_>>(),
            })
        };
        json!({
            "against": self.against,
            "broken": self.is_broken(),
            "callbacks": self.callbacks.iter().map(callback).collect::<Vec<_>>(),
            "not_asked": self.elsewhere,
        })
    }
}

/// Printable, and no longer than a line.
fn shortened(bytes: &[u8]) -> String {
    let shown = bytes.escape_ascii().to_string();
    if shown.len() <= 60 { shown } else { format!("{}...", &shown[..60]) }
}
