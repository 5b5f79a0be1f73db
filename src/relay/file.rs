//! `relay.toml`: TOML in, [`Relay`] out. What could send an answer to the wrong place is refused, with its line.

mod providers;
mod target;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::Range,
    path::PathBuf,
};

use providers::Wanted;
use serde::Deserialize;
use serde_spanned::Spanned;
use target::{Preset, Region, place_of};

use super::{AccessLogging, Name, Parts, Providers, Relay, Route, Settings, template::Template};
use crate::{
    catalog::{CatalogError, Fault, Place},
    proxies::{ClientField, Network, TrustedProxies},
    redirect::RegisteredRedirect,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<Spanned<String>>,
    admin: Option<Spanned<String>>,
    tls: Option<Tls>,
    access_log: Option<bool>,
    #[serde(default)]
    trusted_proxies: Vec<Spanned<String>>,
    #[serde(default)]
    client_field: Field,
    #[serde(default)]
    route: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    cert: Spanned<PathBuf>,
    key: Spanned<PathBuf>,
}

/// Two PEM files, and where each is named.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first. A relative path begins where `relay.toml` is.
    pub cert: PathBuf,
    pub cert_place: Place,
    pub key: PathBuf,
    pub key_place: Place,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    environment: Option<Spanned<String>>,
    host: Option<Spanned<String>>,
    path: Option<Spanned<String>>,
    target: Option<Spanned<String>>,
    providers: Option<Spanned<Wanted>>,
    preset: Option<Spanned<Preset>>,
    region: Option<Spanned<Region>>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Field {
    Forwarded,
    #[default]
    XForwardedFor,
}

/// Where the preset is asked unless `path` says otherwise; the path that Junction's guide for
/// own-domain callbacks proposes.
const USUAL_PATH: &str = "/oauth_callback/{provider}";

/// For a proxy on the same machine.
const USUAL_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// A provider to try a template with: whatever holds for it holds for every [`Name`].
pub(super) const SAMPLE: &str = "acme_fit";

/// Bytes of a path or target. With the longest query and name the request line still fits what is read.
const LONGEST_TEMPLATE: usize = 1024;

impl Relay {
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let place = |span: Range<usize>| Place::of(text, span.start);
        let file: File = toml_edit::de::from_str(text).map_err(|error| CatalogError::of_toml(text, &error))?;
        let address = |name: &str, value: &Spanned<String>| {
            value.get_ref().parse().map_err(|_| CatalogError {
                place: Some(place(value.span())),
                what: format!("{name}: not an address and a port"),
                remedy: Some(format!(
                    "write: {name} = \"127.0.0.1:8080\"; 0.0.0.0:8080 or [::]:8080 for every address"
                )),
            })
        };
        let listen = file.listen.as_ref().map_or(Ok(USUAL_ADDRESS), |value| address("listen", value))?;
        let admin = file.admin.as_ref().map(|value| address("admin", value)).transpose()?;
        let network = |value: &Spanned<String>| {
            Network::parse(value.get_ref()).ok_or_else(|| CatalogError {
                place: Some(place(value.span())),
                what: "trusted_proxies: not an address or a network".into(),
                remedy: Some("write each like 127.0.0.1, 10.0.0.0/8 or fd00::/8".into()),
            })
        };
        let networks = file.trusted_proxies.iter().map(network).collect::<Result<_, _>>()?;
        let field = match file.client_field {
            Field::Forwarded => ClientField::Forwarded,
            Field::XForwardedFor => ClientField::XForwardedFor,
        };
        let tls = file.tls.map(|Tls { cert, key }| {
            let (cert_place, key_place) = (place(cert.span()), place(key.span()));
            TlsFiles { cert: cert.into_inner(), cert_place, key: key.into_inner(), key_place }
        });
        let access_log = if file.access_log == Some(false) { AccessLogging::Off } else { AccessLogging::On };
        let settings = Settings { listen, admin, tls, access_log };
        let mut routes: Vec<(Route, Place)> = Vec::new();
        for table in file.route {
            let table_at = table.span();
            let at = |fault: Fault| fault.within(table_at.clone(), text);
            let route = table.into_inner().route().map_err(at)?;
            for (other, other_place) in &routes {
                route.beside(other, other_place.line).map_err(at)?;
            }
            routes.push((route, place(table_at.clone())));
        }
        if routes.is_empty() {
            let what = "there is no route".into();
            return Err(CatalogError { place: None, what, remedy: Some("add: [[route]]".into()) });
        }
        let proxies = TrustedProxies::new(networks, field);
        Ok(Self::new(settings, proxies, routes.into_iter().map(|(route, _)| route).collect()))
    }
}

impl Table {
    fn route(self) -> Result<Route, Fault> {
        let environment = required("environment", self.environment.as_ref(), "production")?;
        let environment = Name::parse(environment.get_ref())
            .ok_or_else(|| Fault::new("environment: not a name", "use 1 to 64 of a-z 0-9 _ -").at(environment))?;
        let host = required("host", self.host.as_ref(), "acme.example")?;
        let (path, target) = match &self.preset {
            Some(preset) => (self.path(Some(USUAL_PATH))?, self.preset_target(preset, &environment)?),
            None => (self.path(None)?, self.own_target(&environment)?),
        };
        self.one_uri(host, &path)?;
        let placeholder = path.has_placeholder();
        if placeholder != target.has_placeholder() {
            let fault = Fault::new(
                "{provider} stands in only one of path and target",
                "write it in both, or in neither and name the provider there",
            );
            return Err(fault.at_if(self.target.as_ref().or(self.path.as_ref())));
        }
        let providers = match (&self.providers, placeholder) {
            (Some(wanted), true) => wanted.get_ref().parse().map_err(|fault| fault.at(wanted))?,
            (None, false) => Providers::None,
            (Some(wanted), false) => {
                return Err(Fault::new("providers: there is no {provider} in path and target", "remove it").at(wanted));
            }
            (None, true) => {
                return Err(Fault::new(
                    "providers is missing",
                    "add: providers = [\"acme_fit\"], or \"*\" for any name",
                ));
            }
        };
        let host = host.get_ref().clone();
        Ok(Route(Parts { environment, host, path, target, providers }.into()))
    }

    fn path(&self, usual: Option<&str>) -> Result<Template, Fault> {
        match (&self.path, usual) {
            (None, Some(usual)) => Template::parse(usual).map_err(|_| misplaced("path")),
            (path, _) => template("path", required("path", path.as_ref(), USUAL_PATH)?),
        }
    }

    /// Host and path together are what is registered at the provider, so the rules of redirect URIs judge them.
    fn one_uri(&self, host: &Spanned<String>, path: &Template) -> Result<(), Fault> {
        let name = host.get_ref();
        let foreign = ['/', '?', '#', '@', '\\'];
        let judged = |path: &str| RegisteredRedirect::parse(&format!("https://{name}{path}"));
        // Port 443 is never written in a Host field (RFC 9110 §4.2.2), so nothing would ever arrive there.
        if name.contains(foreign) || name.ends_with(":443") || judged("/").is_err() {
            let what = "host: not a host name, with a port where the Host field has one";
            return Err(Fault::new(what, "write it as browsers send it: acme.example or acme.example:8443").at(host));
        }
        let path = path.with(SAMPLE);
        match judged(&path) {
            Ok(_) if path.starts_with('/') && !path.contains(['?', '#']) => Ok(()),
            judgement => {
                let why = judgement.err().map_or_else(String::new, |error| format!(": {error}"));
                let fault = Fault::new(
                    format!("path: not the path of a URI, without query and fragment{why}"),
                    format!("write it like {USUAL_PATH}"),
                );
                Err(fault.at_if(self.path.as_ref()))
            }
        }
    }
}

impl Route {
    /// # Errors
    /// The two could be confused: they answer the same request, or lead two environments through one place.
    fn beside(&self, other: &Self, line: usize) -> Result<(), Fault> {
        let (this, that) = (&*self.0, &*other.0);
        let one_host = this.host.eq_ignore_ascii_case(&that.host);
        if this.environment == that.environment {
            if one_host && this.path.meets(&this.providers, &that.path, &that.providers) {
                return Err(Fault::new(
                    format!("the route at line {line} has this host and path too"),
                    "give them different paths, or providers that differ",
                ));
            }
            return Ok(());
        }
        let between = format!("environment {} here and {} at line {line}", this.environment, that.environment);
        if one_host && this.path.meets(&this.providers.widest(), &that.path, &that.providers.widest()) {
            let what = format!("one host and path for two environments: {between}");
            return Err(Fault::new(what, "give each environment a host or a path of its own"));
        }
        if place_of(this.target.as_str()) == place_of(that.target.as_str()) {
            let what = format!("one target host for two environments: {between}");
            return Err(Fault::new(what, "check which of the two the target belongs to"));
        }
        Ok(())
    }
}

impl Providers {
    /// Whatever is listed today, another name may be tomorrow.
    fn widest(&self) -> Self {
        match self {
            Self::Any | Self::Listed(_) => Self::Any,
            Self::None => Self::None,
        }
    }
}

fn required<'v>(name: &str, value: Option<&'v Spanned<String>>, example: &str) -> Result<&'v Spanned<String>, Fault> {
    value.ok_or_else(|| Fault::new(format!("{name} is missing"), format!("add: {name} = \"{example}\"")))
}

fn template(name: &str, value: &Spanned<String>) -> Result<Template, Fault> {
    if value.get_ref().len() > LONGEST_TEMPLATE {
        return Err(Fault::new(format!("{name} is too long"), format!("at most {LONGEST_TEMPLATE} bytes")).at(value));
    }
    Template::parse(value.get_ref()).map_err(|_| misplaced(name).at(value))
}

fn misplaced(name: &str) -> Fault {
    Fault::new(
        format!("{name}: {{provider}} may stand once, as a whole segment of the path"),
        "write it between two slashes or at the end: /oauth_callback/{provider}",
    )
}
