//! `loopin doctor`: whether this machine is ready for logins. This file looks; `judgement` says what that means.

mod judgement;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Mutex, PoisonError},
    thread,
};

use oauth2::http::header;

use judgement::{Dated, Need, Reached, Taken};

use super::{
    context::Context,
    login::surroundings,
    published::{Compared, compare},
};
use crate::{
    catalog::{Catalog, Integration, StoreKind},
    cli,
    deadlines::PROVIDERS_COMPARED,
    grants::{Grants, Prompts, Settings, Stores},
    oauth::{DiscoveryError, HttpClient, HttpError, HttpRequest, HttpResponse},
    redirect::{Landing, LoopbackHost, Port},
    report::{Check, Checkup, Failure, Machine, Outcome},
    system::{
        browser::Browser,
        clock, environment,
        http::{Http, ca_store, route},
        keychain::Keychain,
        loopback_probe::{Probe, probe},
        private_files::PrivateFiles,
    },
    timestamp::http_date,
    vault::{AccountName, ActionKey, GrantKey, IndexEntry, Items, Journal, StateFiles, StoreError, Vault},
};

pub fn run(context: &Context, args: &cli::Doctor) -> Result<Outcome, Failure> {
    // A passphrase is not asked for: a check must not wait for anybody.
    let settings = Settings { prompts: Prompts::Never, ..context.settings.clone() };
    let browser = Browser::choose(None)?;
    let mut checks = Vec::new();
    let catalog = match settings.catalog() {
        Ok(catalog) => {
            let place = settings.config_path()?.display().to_string();
            checks.push(judgement::configuration(&place, catalog.iter().len()));
            Some(catalog)
        }
        Err(error) => {
            checks.push(Check::failed("configuration", error.into()));
            None
        }
    };
    let integrations: Vec<&Integration> = match (&catalog, &args.integration) {
        (None, _) => Vec::new(),
        (Some(catalog), None) => catalog.iter().collect(),
        (Some(catalog), Some(name)) => vec![catalog.get(name)?],
    };
    // What waits for others runs beside the rest.
    thread::scope(|scope| {
        let asked: Vec<_> = integrations.iter().map(|it| (*it, scope.spawn(|| ask(it)))).collect();
        checks.extend(of_this_machine(&integrations, &browser));
        checks.extend(stores(&settings, &integrations));
        checks.extend(of_requests(&integrations));
        let asked = asked.into_iter().filter_map(|(it, asked)| Some((it, asked.join().ok()?))).collect();
        checks.extend(providers(asked));
    });
    if let Some(catalog) = &catalog {
        let redirect = |it: &&Integration| judgement::redirect(it, &catalog.sharing(it), taken(it));
        checks.extend(integrations.iter().map(redirect));
        checks.extend(leftovers(&settings, catalog, args.integration.as_deref()));
    }
    let machine = args.report.then(|| {
        let (set, unset) = environment::names();
        Machine { version: env!("CARGO_PKG_VERSION"), platform: environment::platform(), set, unset }
    });
    if args.report
        && let Some(home) = environment::text("HOME")
    {
        checks = checks.into_iter().map(|check| judgement::without_home(check, &home)).collect();
    }
    Ok(Outcome::Checkup(Checkup { checks, machine }))
}

fn of_this_machine(integrations: &[&Integration], browser: &Browser) -> Vec<Check> {
    let loopback = |address: IpAddr, hosts: &[LoopbackHost]| {
        let lands = |landing| matches!(landing, Landing::Loopback { host, .. } if hosts.contains(&host));
        let of = |integration: &&&Integration| integration.redirects.iter().any(|redirect| lands(redirect.landing()));
        let need = match integrations.iter().find(of) {
            Some(_) => Need::Needed,
            None => Need::Unused,
        };
        judgement::loopback(address, probe(SocketAddr::new(address, 0)), need)
    };
    let here = surroundings(None);
    vec![
        loopback(Ipv4Addr::LOCALHOST.into(), &[LoopbackHost::V4, LoopbackHost::Localhost]),
        // A login at localhost does without it.
        loopback(Ipv6Addr::LOCALHOST.into(), &[LoopbackHost::V6]),
        judgement::browser(browser, environment::browser_variable(), &here),
    ]
}

/// Each store of these integrations once; without any, the one that a new integration would have.
fn stores(settings: &Settings, integrations: &[&Integration]) -> Vec<Check> {
    let files = match settings.files() {
        Ok(files) => files,
        Err(error) => return vec![Check::failed("store", error.into())],
    };
    let prove = |items: &dyn Items, of: Option<&Integration>| {
        judgement::store(&place(items, &files), of, Vault { items, files: &files }.prove())
    };
    let mut seen = Vec::new();
    let mut checks = Vec::new();
    for integration in integrations {
        let kind = settings.store_kind(integration);
        let store = (kind, integration.store_key.as_ref().filter(|_| kind == StoreKind::File));
        if !seen.contains(&store) {
            seen.push(store);
            checks.push(prove(settings.items(integration, &files).as_ref(), Some(integration)));
        }
    }
    if integrations.is_empty() && settings.store != Some(StoreKind::File) {
        checks.push(prove(&Keychain::default(), None));
    }
    checks
}

fn place(items: &dyn Items, files: &PrivateFiles) -> String {
    match (items.kind(), items.identity()) {
        ("keychain", bus) if bus.is_empty() => Keychain::NAME.to_owned(),
        ("keychain", bus) => format!("{} at {bus}", Keychain::NAME),
        _ => format!("encrypted files in {}", files.path().display()),
    }
}

/// Proxies and CAs, as requests to these providers use them.
fn of_requests(integrations: &[&Integration]) -> Vec<Check> {
    let mut hosts: Vec<_> = integrations.iter().map(|integration| integration.server.host()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    if hosts.is_empty() {
        hosts.push("provider.example");
    }
    let routes: Vec<_> = hosts.into_iter().map(|host| (host.to_owned(), route(host))).collect();
    let mut checks = judgement::proxy(&routes);
    checks.push(judgement::ca(&ca_store(None), None));
    for integration in integrations.iter().filter(|integration| integration.ca.is_some()) {
        let read = Http::at(integration).check_ca();
        checks.push(judgement::ca(&ca_store(integration.ca.as_ref()), Some((&integration.name, read))));
    }
    checks
}

/// What a provider answered.
struct Asked {
    compared: Result<Compared, DiscoveryError>,
    dates: Vec<Dated>,
    reached: Reached,
}

fn ask(integration: &Integration) -> Asked {
    let http = Http::within(PROVIDERS_COMPARED).trusting(integration.ca.as_ref());
    let dating = Dating { http: &http, server: integration.server.host(), dates: Mutex::default() };
    let compared = compare(integration, &dating);
    let answered = dating.dates.into_inner().unwrap_or_else(PoisonError::into_inner);
    let reached = match &compared {
        _ if !answered.is_empty() => Reached::Answered,
        Err(DiscoveryError::Connection(_)) => Reached::NotAsked,
        _ => Reached::Silent,
    };
    Asked { compared, dates: answered.into_iter().flatten().collect(), reached }
}

/// Compares the clock with the `Date` of each response.
struct Dating<'a> {
    http: &'a Http,
    server: &'a str,
    /// One value for each response; `None` if it had no time.
    dates: Mutex<Vec<Option<Dated>>>,
}

impl HttpClient for Dating<'_> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.http.send(request)?;
        let field = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        // A cache sends the time of the origin's response (RFC 9111 section 5.1).
        let dated = match field(header::AGE) {
            Some(_) => None,
            None => field(header::DATE).and_then(http_date),
        };
        let dated = dated.map(|theirs| Dated { server: self.server.to_owned(), theirs, ours: clock::now() });
        self.dates.lock().unwrap_or_else(PoisonError::into_inner).push(dated);
        Ok(response)
    }
}

fn providers(asked: Vec<(&Integration, Asked)>) -> Vec<Check> {
    if asked.is_empty() {
        return Vec::new();
    }
    let reached: Vec<_> = asked.iter().map(|(it, asked)| (it.server.host().to_owned(), asked.reached)).collect();
    let dates: Vec<_> = asked.iter().flat_map(|(_, asked)| asked.dates.iter().cloned()).collect();
    let mut checks: Vec<_> = judgement::network(&reached).into_iter().chain([judgement::clock(&dates)]).collect();
    checks.extend(asked.into_iter().map(|(integration, asked)| judgement::metadata(integration, asked.compared)));
    checks
}

/// The first redirect at which nothing can listen, if that is so of all of them. Free ports are not tried.
fn taken(integration: &Integration) -> Option<Taken> {
    let mut first = None;
    for redirect in &integration.redirects {
        let Landing::Loopback { host, port: Port::Fixed(port) } = redirect.landing() else { return None };
        let address: IpAddr = match host {
            LoopbackHost::V4 | LoopbackHost::Localhost => Ipv4Addr::LOCALHOST.into(),
            LoopbackHost::V6 => Ipv6Addr::LOCALHOST.into(),
        };
        match probe(SocketAddr::new(address, port.get())) {
            Probe::NotBound(why) => first = first.or(Some(Taken { host, port: port.get(), why })),
            Probe::Reached | Probe::NotReached(_) => return None,
        }
    }
    first
}

fn leftovers(settings: &Settings, catalog: &Catalog, integration: Option<&str>) -> Vec<Check> {
    let found = || {
        let grants = Grants::open(settings.clone())?.status(integration, Stores::Here)?.grants;
        let files = settings.files()?;
        let at = |names: Vec<String>| names.into_iter().map(|name| files.path().join(name)).collect::<Vec<_>>();
        let (journals, damaged) = (journals(settings, catalog, &files)?, files.list(".damaged")?);
        Ok::<_, Failure>(judgement::leftovers(&grants, &at(journals), &at(damaged)))
    };
    found().unwrap_or_else(|failure| vec![Check::failed("leftovers", failure)])
}

/// Journals without a grant: none that the index lists, and none that the store has without it.
fn journals(settings: &Settings, catalog: &Catalog, files: &PrivateFiles) -> Result<Vec<String>, StoreError> {
    let indexed = files.list(IndexEntry::SUFFIX)?;
    let listed = |journal: &str| {
        let name = journal.strip_suffix(Journal::SUFFIX).unwrap_or(journal);
        indexed.iter().any(|index| index.strip_suffix(IndexEntry::SUFFIX) == Some(name))
    };
    let mut journals = files.list(Journal::SUFFIX)?;
    journals.retain(|journal| !listed(journal));
    if journals.is_empty() {
        return Ok(journals);
    }
    for integration in catalog.iter() {
        let items = settings.items(integration, files);
        let vault = Vault { items: items.as_ref(), files };
        let actions = integration.actions.keys().cloned().map(ActionKey::One).chain([ActionKey::All]);
        for key in actions.map(|action| GrantKey::personal(integration.name.clone(), AccountName::default(), action)) {
            let own = vault.state_name(&key).file(Journal::SUFFIX);
            journals.retain(|journal| *journal != own || matches!(vault.read(&key), Ok(None)));
        }
    }
    Ok(journals)
}
