//! A provider that the program knows, and how to register a client there.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::catalog::{ClientKind, Integration, Loopback, Preset, PresetHost, Spelling, Variable};

/// What to enter at the provider.
#[derive(Clone, Debug)]
pub struct Registering {
    /// The relay's URI where there is one, else each redirect.
    pub redirect_uris: Vec<String>,
    /// In order; empty where the table names no provider.
    pub steps: Vec<String>,
}

impl Registering {
    pub fn of(integration: &Integration) -> Self {
        let redirects: Vec<_> = match &integration.relay {
            Some(relay) => vec![relay.as_str().to_owned()],
            None => integration.redirects.iter().map(|redirect| redirect.as_str().to_owned()).collect(),
        };
        match &integration.preset {
            None => Self { redirect_uris: redirects, steps: Vec::new() },
            Some(preset) => Self {
                steps: registration_steps(preset, &redirects, integration.base_url.as_deref()),
                redirect_uris: redirects.iter().filter_map(|redirect| preset.registered(redirect)).collect(),
            },
        }
    }

    pub(super) fn text(&self) -> String {
        if self.steps.is_empty() {
            return self.redirect_uris.iter().map(|uri| format!("register at the provider: {uri}\n")).collect();
        }
        numbered(&self.steps)
    }
}

fn numbered(steps: &[String]) -> String {
    steps.iter().enumerate().map(|(at, step)| format!("  {}. {step}\n", at + 1)).collect()
}

/// What to do at the provider, in order. `base_url` is the instance, where there are several.
pub fn registration_steps(preset: &Preset, redirects: &[String], base_url: Option<&str>) -> Vec<String> {
    let registration = &preset.registration;
    let mut steps = vec![format!("register a client of {} ({})", preset.name, preset.registered_at(base_url))];
    steps.push(format!("choose this kind of client: {}", registration.kind));
    for redirect in redirects {
        steps.push(match preset.registered(redirect) {
            Some(uri) => format!("enter this redirect URI: {uri}"),
            None => "enter no redirect URI: this kind of client may use any port of this machine".to_owned(),
        });
    }
    steps.extend(preset.redirect.note.clone());
    if registration.client == ClientKind::Confidential {
        steps.push("copy the client id and the client secret".to_owned());
    }
    steps.extend(registration.scopes.as_ref().map(|scopes| format!("scopes: {scopes}")));
    steps.extend(registration.refresh.as_ref().map(|refresh| format!("refresh token: {refresh}")));
    steps
}

pub(super) fn text(presets: &[Preset]) -> String {
    match presets {
        [preset] => page(preset),
        list => {
            let width = list.iter().map(|preset| preset.id.len()).max().unwrap_or(0);
            let line = |preset: &Preset| format!("{:width$}  {}\n", preset.id, preset.name);
            let lines: String = list.iter().map(line).collect();
            format!("{lines}how to register a client: loopin integration providers PROVIDER\n")
        }
    }
}

/// Everything about one.
fn page(preset: &Preset) -> String {
    let mut text = format!("{}\n{}", preset.name, numbered(&steps_for_name(preset)));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}: {value}");
    };
    line("access token", preset.lifetimes.access_token.as_deref().unwrap_or(UNKNOWN));
    line("refresh token", preset.lifetimes.refresh_token.as_deref().unwrap_or(UNKNOWN));
    let [from_token, from_callback] = preset.kept();
    if !from_token.is_empty() || !from_callback.is_empty() {
        line("metadata", &[from_token, from_callback].concat().join(", "));
    }
    preset.notes.iter().for_each(|note| line("note", note));
    line("next", &command(preset));
    text
}

/// No source states it.
const UNKNOWN: &str = "not documented";

fn steps_for_name(preset: &Preset) -> Vec<String> {
    let redirect = match preset.redirect.loopback {
        Loopback::Refused => RELAY.to_owned(),
        Loopback::AnyPort | Loopback::FixedPort | Loopback::Unstated => format!("{}/NAME", preset.redirect_uri(None)),
    };
    registration_steps(preset, &[redirect], None)
}

const RELAY: &str = "https://acme.example/cli/NAME";

/// The command that adds an integration with it.
fn command(preset: &Preset) -> String {
    let mut command = format!("loopin integration add NAME --provider {}", preset.id);
    for (option, variable) in [("base-url", &preset.base_url), ("tenant", &preset.tenant)] {
        if let Some(Variable { default: None, example }) = variable {
            let _ = write!(command, " --{option} {example}");
        }
    }
    if preset.redirect.loopback == Loopback::Refused {
        let _ = write!(command, " --relay {RELAY}");
    }
    command += " --client-id ID";
    if preset.registration.client == ClientKind::Confidential {
        command += " --secret-stdin";
    }
    command
}

pub(super) fn json(preset: &Preset) -> Value {
    let variable = |variable: &Option<Variable>| {
        variable.as_ref().map(|variable| json!({ "default": variable.default, "example": variable.example }))
    };
    let redirect = &preset.redirect;
    let [from_token, from_callback] = preset.kept();
    let sources = preset.sources.iter().map(|source| {
        let of: Vec<_> = source.of.iter().map(|subject| subject.as_str()).collect();
        json!({ "of": of, "at": source.at, "read": source.read })
    });
    json!({
        "provider": preset.id,
        "name": preset.name,
        "notes": preset.notes,
        "base_url": variable(&preset.base_url),
        "tenant": variable(&preset.tenant),
        "client": match preset.registration.client {
            ClientKind::Confidential => "confidential",
            ClientKind::Either => "either",
            ClientKind::Public => "public",
        },
        "loopback": match redirect.loopback {
            Loopback::AnyPort => "any_port",
            Loopback::FixedPort => "fixed_port",
            Loopback::Refused => "refused",
            Loopback::Unstated => "unstated",
        },
        "hosts": redirect.hosts.iter().map(|host: &PresetHost| host.as_str()).collect::<Vec<_>>(),
        "registered": match redirect.register {
            Spelling::AsWritten => "as_written",
            Spelling::Nothing => "nothing",
            Spelling::WithoutPort => "without_port",
        },
        "registration": steps_for_name(preset),
        "command": command(preset),
        "lifetimes": { "access": preset.lifetimes.access_token, "refresh": preset.lifetimes.refresh_token },
        "metadata": {
            "from_token": from_token,
            "from_callback": from_callback,
            "account": preset.account_from(),
        },
        "sources": sources.collect::<Vec<_>>(),
    })
}
