//! Where a route may send an answer: a target of its own, or an endpoint of the preset.

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{SAMPLE, Table, misplaced, required, template};
use crate::{
    catalog::Fault,
    redirect::{Landing, LoopbackHost, Port, RegisteredRedirect},
    relay::{
        Name,
        template::{PLACEHOLDER, Template},
    },
};

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Preset {
    Junction,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Region {
    Eu,
    Us,
}

/// Junction's endpoints, as its guide for own-domain callbacks lists them: region, environment, host.
const JUNCTION: [(Region, &str, &str); 4] = [
    (Region::Us, "sandbox", "api.sandbox.us.junction.com"),
    (Region::Eu, "sandbox", "api.sandbox.eu.junction.com"),
    (Region::Us, "production", "api.us.junction.com"),
    (Region::Eu, "production", "api.eu.junction.com"),
];

/// Of every endpoint of Junction.
const JUNCTION_PATH: &str = "/v2/link/connect/{provider}";

/// What stands behind the second slash of a URL.
const AUTHORITY: usize = 2;

impl Table {
    pub(super) fn own_target(&self, environment: &Name) -> Result<Template, Fault> {
        if let Some(region) = &self.region {
            return Err(Fault::new("region belongs to a preset", "add: preset = \"junction\", or remove it").at(region));
        }
        let value = required("target", self.target.as_ref(), "https://api.us.junction.com/v2/link/connect/{provider}")?;
        if value.get_ref().contains(['?', '#']) {
            let what = "target: it has a query or a fragment, and the request's own query is put there";
            return Err(Fault::new(what, "write the target without it").at(value));
        }
        let template = template("target", value)?;
        judge_target(&template, environment).map_err(|fault| fault.at(value))?;
        Ok(template)
    }

    pub(super) fn preset_target(&self, preset: &Spanned<Preset>, environment: &Name) -> Result<Template, Fault> {
        let Preset::Junction = preset.get_ref();
        if let Some(target) = &self.target {
            return Err(Fault::new("target: the preset has its own", "remove target, or preset").at(target));
        }
        let Some(region) = &self.region else {
            return Err(Fault::new("region is missing", "add: region = \"us\", or \"eu\"").at(preset));
        };
        let wanted = |(of, name, _): &&(Region, &str, &str)| of == region.get_ref() && *name == environment.as_str();
        let Some((_, _, host)) = JUNCTION.iter().find(wanted) else {
            let what = format!("environment: Junction has no \"{environment}\"");
            let fault = Fault::new(what, "write \"sandbox\" or \"production\"");
            return Err(fault.at_if(self.environment.as_ref()));
        };
        Template::parse(&format!("https://{host}{JUNCTION_PATH}")).map_err(|_| misplaced("target"))
    }
}

/// # Errors
/// Not https (a loopback address may be plain), something before an `@`, a placeholder in the host, or another
/// environment's endpoint.
fn judge_target(target: &Template, environment: &Name) -> Result<(), Fault> {
    if target.as_str().split('/').nth(AUTHORITY) == Some(PLACEHOLDER) {
        return Err(misplaced("target"));
    }
    let text = target.with(SAMPLE);
    let redirect = RegisteredRedirect::parse(&text)
        .map_err(|error| Fault::new(format!("target: {error}"), "write it like https://api.example.com/callback"))?;
    if text.contains('@') {
        return Err(Fault::new("target: an @ can hide which host it is", "write it without"));
    }
    let host = redirect.host();
    match redirect.landing() {
        Landing::Loopback { host: LoopbackHost::V4 | LoopbackHost::V6, port: Port::Fixed(_) | Port::Unstated } => {}
        Landing::Loopback { host: LoopbackHost::Localhost, .. } => {
            return Err(Fault::new("target: localhost may be another program's", "write 127.0.0.1 or [::1]"));
        }
        Landing::Loopback { port: Port::Ephemeral, .. } => {
            return Err(Fault::new("target: a fixed port is needed", "write the port that the listener has"));
        }
        Landing::Elsewhere if text.starts_with("https://") => {}
        Landing::Elsewhere => {
            return Err(Fault::new(
                "target: not https, which would show the code to the network",
                "write https://; plain http is for 127.0.0.1 and [::1] alone",
            ));
        }
    }
    match JUNCTION.iter().find(|(_, _, known)| host.eq_ignore_ascii_case(known)) {
        Some((_, of, known)) if *of != environment.as_str() => {
            let what = format!("target: {known} is Junction's {of}, and the route says environment {environment}");
            Err(Fault::new(what, format!("write: environment = \"{of}\", or the other endpoint")))
        }
        _ => Ok(()),
    }
}

/// What two environments may not share: a host whatever its port, but on loopback the port is the place.
pub(super) fn place_of(target: &str) -> String {
    let authority = target.split_once("://").map_or(target, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default().to_ascii_lowercase();
    let name = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => &authority,
    };
    if matches!(name, "127.0.0.1" | "[::1]") { authority } else { name.trim_end_matches('.').to_owned() }
}
