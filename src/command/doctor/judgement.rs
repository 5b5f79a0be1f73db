//! What the checks of `loopin doctor` found, judged: values in, lines out.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    catalog::{Effect, Integration, IntegrationName, SharedRedirect, own_redirect},
    cli::How,
    command::{
        login::plan::{Paste, Surroundings, plan},
        published::Compared,
    },
    grants::{Error, GrantId, GrantState, GrantStatus, Unknown},
    oauth::{CaStore, DiscoveryError, HttpError},
    redirect::{LoopbackHost, RelayedRedirect, rules},
    report::{Check, Code, Failure, command, login_command, logout_command},
    system::{
        browser::{Browser, NoBrowser},
        environment::Elsewhere,
        http::Route,
        loopback_probe::Probe,
    },
    vault::{AccountName, ActionKey, StoreError},
};

/// A clock that is wrong by this many seconds is reported: id_tokens are compared with it (OpenID Connect Core section
/// 3.1.3.7), and so is the life of tokens.
const CLOCK_OFF: u64 = 60;
/// One that is wrong by this many seconds makes logins fail.
const CLOCK_WRONG: u64 = 300;

/// A configuration that can be read, and how many integrations it has.
pub fn configuration(place: &str, integrations: usize) -> Check {
    const CHECK: &str = "configuration";
    match integrations {
        0 => {
            Check::warning(CHECK, format!("no integration in {place}")).remedy(command(["integration", "add", "NAME"]))
        }
        1 => Check::good(CHECK, format!("1 integration in {place}")),
        many => Check::good(CHECK, format!("{many} integrations in {place}")),
    }
}

/// Whether an integration has a redirect URI at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Needed,
    Unused,
}

pub fn loopback(address: IpAddr, probe: Probe, need: Need) -> Check {
    let check = format!("loopback {address}");
    let (what, why) = match (probe, need) {
        (Probe::Reached, _) => return Check::good(check, "can be bound and reached"),
        // A machine without IPv6 is as good as another.
        (Probe::NotBound(_), Need::Unused) => {
            return Check::good(check, "not available here, and no integration needs it");
        }
        (Probe::NotBound(why), Need::Needed) => ("cannot be bound", why),
        (Probe::NotReached(why), _) => ("can be bound, but a connection to it does not arrive", why),
    };
    let message = format!("{what}: {why}");
    let bad = match need {
        Need::Needed => Check::bad(check, Code::Configuration, message),
        Need::Unused => Check::warning(check, message),
    };
    bad.remedy(match (probe, address) {
        (Probe::NotReached(_), _) => {
            "allow connections within this machine in its firewall or security program".to_owned()
        }
        (_, IpAddr::V6(_)) => {
            format!("write a redirect with 127.0.0.1: redirect_uri = \"{}\"", crate::catalog::DEFAULT_REDIRECT)
        }
        (_, IpAddr::V4(_)) => "bring the loopback interface up: ip link set lo up".to_owned(),
    })
}

/// What `login` would open. `from` is the variable that names the command.
pub fn browser(browser: &Browser, from: Option<&str>, here: &Surroundings) -> Check {
    const CHECK: &str = "browser";
    if let Browser::None(why @ NoBrowser::Variable(name)) = browser {
        return Check::warning(CHECK, why).remedy(format!("correct it, or open the desktop's browser: unset {name}"));
    }
    let plan = match plan(How::Auto, None, here) {
        Ok(plan) => plan,
        Err(failure) => {
            let message = format!("{}, so loopin login ends at once", failure.what);
            return Check::warning(CHECK, message).remedy(failure.remedy);
        }
    };
    let opens = match browser {
        Browser::Named(commands) => {
            // The words after the first may contain anything.
            let programs: Vec<_> = commands.iter().filter_map(|words| Some(words.first()?.as_str())).collect();
            format!("login opens {} ({})", programs.join(" or "), from.unwrap_or("--browser"))
        }
        Browser::Desktop => "login opens the desktop's default browser".into(),
        Browser::None(why) => format!("{why}; login prints the URL"),
    };
    let elsewhere = match &here.elsewhere {
        Some(Elsewhere::Codespaces) => "; this is a codespace",
        Some(Elsewhere::Container) => "; this is a container",
        Some(Elsewhere::Ssh(_)) => "; this terminal came over SSH",
        None => "",
    };
    let paste = match plan.paste {
        Paste::Alone | Paste::AtOnce => ", so login also takes the pasted address of a browser on another machine",
        Paste::IfNoBrowserOpens | Paste::Never => "",
    };
    Check::good(CHECK, format!("{opens}{elsewhere}{paste}"))
}

/// `place` names the store, and `of` is an integration that has it.
pub fn store(place: &str, of: Option<&Integration>, proven: Result<(), StoreError>) -> Check {
    const CHECK: &str = "store";
    let why = match proven {
        Ok(()) => return Check::good(CHECK, format!("{place}: a test item was written, read and deleted")),
        Err(StoreError::NoKey | StoreError::NoTerminal) => {
            return Check::good(CHECK, format!("{place}, under a passphrase: not tested, because that asks for it"));
        }
        Err(why) => why,
    };
    let error = match of.map(|integration| integration.name.clone()) {
        None => Error::Store(why),
        Some(integration) => {
            let grant = GrantId { integration, account: AccountName::default(), action: ActionKey::All };
            Error::StoreOf { grant: Box::new(grant), why, elsewhere: None }
        }
    };
    let failure = Failure::from(error);
    Check::failed(CHECK, Failure { what: format!("{place}: {}", failure.what), ..failure })
}

/// A time that a server sent, and the time of its arrival here.
#[derive(Clone, Debug)]
pub struct Dated {
    pub server: String,
    pub theirs: SystemTime,
    pub ours: SystemTime,
}

/// The server that agrees best counts: a wrong clock here is wrong for all of them.
pub fn clock(dates: &[Dated]) -> Check {
    const CHECK: &str = "clock";
    let offset = |dated: &Dated| match dated.ours.duration_since(dated.theirs) {
        Ok(ahead) => (ahead.as_secs(), "ahead of"),
        Err(behind) => (behind.duration().as_secs(), "behind"),
    };
    let Some(best) = dates.iter().min_by_key(|dated| offset(dated).0) else {
        return Check::warning(CHECK, "not compared, because no provider sent its time");
    };
    let (seconds, which) = offset(best);
    let server = &best.server;
    if seconds < CLOCK_OFF {
        return Check::good(CHECK, format!("agrees with {server}"));
    }
    let wrong = format!("{seconds} s {which} the clock of {server}");
    let check = match seconds < CLOCK_WRONG {
        true => Check::warning(CHECK, wrong),
        false => Check::bad(CHECK, Code::Configuration, wrong),
    };
    check.remedy(SET_CLOCK.to_owned())
}

const SET_CLOCK: &str = if cfg!(target_os = "macos") {
    "set it: sudo sntp -sS time.apple.com"
} else if cfg!(windows) {
    "set it: w32tm /resync"
} else {
    "set it: sudo timedatectl set-ntp true"
};

/// What became of the requests to one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    Answered,
    /// Nothing was sent: a proxy or a certificate was in the way.
    NotAsked,
    Silent,
}

/// `None`: nothing can be said of the network.
pub fn network(providers: &[(String, Reached)]) -> Option<Check> {
    const CHECK: &str = "network";
    let count = |wanted| providers.iter().filter(|(_, reached)| *reached == wanted).count();
    let (answered, silent) = (count(Reached::Answered), count(Reached::Silent));
    match (answered, silent) {
        (0, 0) => None,
        (0, _) => {
            let hosts: Vec<_> = providers.iter().map(|(host, _)| host.as_str()).collect();
            let message = format!("no provider answers ({})", hosts.join(", "));
            let remedy = "check the network of this machine; stored tokens stay usable until they expire".to_owned();
            Some(Check::bad(CHECK, Code::Unavailable, message).remedy(remedy))
        }
        _ => Some(Check::good(CHECK, format!("{answered} of {} providers answer", providers.len()))),
    }
}

/// The metadata of the provider beside the integration.
pub fn metadata(integration: &Integration, compared: Result<Compared, DiscoveryError>) -> Check {
    let check = format!("metadata {}", integration.name);
    match compared {
        Ok(Compared::NoMetadata { issuer }) => {
            Check::good(check, format!("{issuer} publishes none, and login needs none: the endpoints are configured"))
        }
        Ok(Compared::Differences { issuer, list }) if list.is_empty() => {
            Check::good(check, format!("agrees with {issuer}"))
        }
        Ok(Compared::Differences { issuer, list }) => {
            let differences: Vec<_> = list
                .iter()
                .map(|it| format!("{} is {}, published is {}", it.name, it.configured, it.published))
                .collect();
            let message = format!("differs from {issuer}: {}", differences.join("; "));
            let broken = list.iter().any(|difference| difference.effect == Effect::LoginFails);
            let check = match broken {
                true => Check::bad(check, Code::Configuration, message),
                false => Check::warning(check, message),
            };
            check.remedy(match list.as_slice() {
                [only] if only.fix.is_some() => only.fix.clone(),
                _ => Some(command(["integration", "verify", integration.name.as_str()])),
            })
        }
        // It is found neither now nor later: the configuration names the wrong issuer.
        Err(error @ DiscoveryError::NotFound { .. }) if !error.is_passing() => {
            Check::failed(check, Failure { code: Code::Configuration, ..Failure::from(error) })
        }
        Err(error) => Check::failed(check, Failure::from(error)),
    }
}

/// A redirect whose fixed port was tried.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    pub host: LoopbackHost,
    pub port: u16,
    pub why: io::ErrorKind,
}

/// `shared_with` are integrations at other servers. `taken` has a value if nothing can listen at any of the redirects.
pub fn redirect(integration: &Integration, shared_with: &[&IntegrationName], taken: Option<Taken>) -> Check {
    let name = &integration.name;
    let check = format!("redirect {name}");
    if let Some(error) = integration.needs_relay() {
        return Check::bad(check, Code::Configuration, error.to_string()).remedy(error.remedy);
    }
    if let Some(Taken { host, port, why }) = taken {
        return Check::failed(check, Error::Listen { host, port, error: why.into() }.into());
    }
    let registered: Vec<_> = match &integration.relay {
        Some(relay) => vec![RelayedRedirect::as_str(relay)],
        None => integration.redirects.iter().map(|redirect| redirect.as_str()).collect(),
    };
    let list = registered.join(", ");
    if !shared_with.is_empty() && integration.shared_redirect == SharedRedirect::Refused {
        let with: Vec<_> = shared_with.iter().map(|name| name.as_str()).collect();
        let message = format!("{list} is shared with {} at another server", with.join(", "));
        let own = own_redirect(name);
        let remedy =
            format!("under [integration.{name}] write: redirect_uri = \"{own}\" and register it at the provider");
        return Check::warning(check, message).remedy(remedy);
    }
    let reports: Vec<_> = registered.iter().map(|uri| rules::check(uri)).collect();
    match reports.iter().flat_map(|report| report.broken().chain(report.warnings())).next() {
        Some(finding) => {
            let uri = registered.iter().zip(&reports).find(|(_, report)| report.findings.contains(finding));
            let uri = uri.map_or(list.as_str(), |(uri, _)| uri);
            Check::warning(check, format!("{list}: {}", finding.why)).remedy(command(["redirect", "check", uri]))
        }
        None => Check::good(check, format!("{list} keeps every rule")),
    }
}

/// The way of requests to the servers of these hosts.
pub fn proxy(routes: &[(String, Result<Route, HttpError>)]) -> Vec<Check> {
    const CHECK: &str = "proxy";
    let (mut ways, mut failed): (BTreeMap<String, Vec<&str>>, Option<&HttpError>) = (BTreeMap::new(), None);
    for (host, route) in routes {
        match route {
            Ok(Route::Direct) => ways.entry("no proxy".into()).or_default().push(host),
            Ok(Route::Proxy { variable, url }) => {
                ways.entry(format!("{url} ({variable})")).or_default().push(host);
            }
            Err(why) => failed = Some(why),
        }
    }
    let ways = ways.into_iter().map(|(way, hosts)| match hosts.len() == routes.len() {
        true => Check::good(CHECK, way),
        false => Check::good(CHECK, format!("{way} for {}", hosts.join(", "))),
    });
    let failed = failed.map(|why| Check::failed(CHECK, Failure { code: Code::Configuration, ..why.clone().into() }));
    ways.chain(failed).collect()
}

/// Whose CA certificates count. `of` is the integration that names a file, and the result of reading that.
pub fn ca(store: &CaStore, of: Option<(&IntegrationName, Result<(), HttpError>)>) -> Check {
    match of {
        None => Check::good("ca", store),
        Some((name, Ok(()))) => Check::good(format!("ca {name}"), store),
        Some((name, Err(why))) => Check::failed(format!("ca {name}"), why.into()),
    }
}

/// What earlier runs left. `journals` are files of refreshes without a grant, `damaged` were put aside.
pub fn leftovers(grants: &[GrantStatus], journals: &[PathBuf], damaged: &[PathBuf]) -> Vec<Check> {
    const CHECK: &str = "leftovers";
    let remove = |path: &Path| format!("rm '{}'", path.display());
    let of_grants = grants.iter().filter_map(|status| {
        let grant = &status.grant;
        let name = &grant.integration;
        match &status.state {
            GrantState::Gone => {
                let message = format!("{name} was logged in, and its tokens are not in the store any more");
                Some(Check::warning(CHECK, message).remedy(login_command(grant)))
            }
            GrantState::Unknown(Unknown::NotConfigured) => {
                let message = format!("{name} has stored tokens and is not in the configuration any more");
                Some(Check::warning(CHECK, message).remedy(logout_command(grant)))
            }
            _ => None,
        }
    });
    let of_journals = journals.iter().map(|path| {
        let message = format!("{} is the journal of a refresh whose grant is gone", path.display());
        Check::warning(CHECK, message).remedy(remove(path))
    });
    let of_damaged = damaged.iter().map(|path| {
        let message = format!("{} was damaged and put aside", path.display());
        Check::warning(CHECK, message).remedy(remove(path))
    });
    let found: Vec<_> = of_grants.chain(of_journals).chain(of_damaged).collect();
    if found.is_empty() { vec![Check::good(CHECK, "none in the state directory")] } else { found }
}

/// For a bug report: the home directory has the name of the user in it.
pub fn without_home(check: Check, home: &str) -> Check {
    let cut = |text: String| if home.len() > 1 { text.replace(home, "~") } else { text };
    Check { message: cut(check.message), remedy: check.remedy.map(cut), ..check }
}

#[cfg(test)]
mod tests;
