//! `loopin serve`: the integration service, and the verbs that look after it.

mod access;
mod admin;
mod asked;
mod authorize;
mod callback;
mod check;
mod connections;
pub mod keys;
pub mod ledger;
mod providers;
pub mod renew;
mod revocation;
mod service;
mod token;

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    net::SocketAddr,
    path::Path,
    sync::{Arc, Once},
};

use tokio::sync::watch;

use self::{
    access::Metrics,
    admin::Admin,
    ledger::Ledger,
    providers::{Configured, Providers},
    renew::Renewer,
    service::{Numbers, Service},
};
use super::context::{Context, directory_of, named_text};
use crate::{
    cli,
    report::{AccessLog, Code, Event, Failure, Outcome, Talk},
    serve::{
        config::Config,
        jwt::{Verifier, WeakSecret},
        rate::Limits,
        store::Store,
    },
    system::{
        clock,
        database::{Database, Node, OpenError},
        entropy,
        http::{Http, check_proxy},
        jwks::{self, Fetched},
        server::{self, Door, Listener, Phase, Respond, blocking},
        signal::{self, Signal},
    },
};

pub fn run(context: &Context, args: &cli::Serve) -> Result<Outcome, Failure> {
    let path = context.named_config().ok_or_else(|| {
        Failure::new(Code::Usage, "the service's configuration is not named")
            .remedy("loopin serve --config loopin.toml")
    })?;
    let config = read(path)?;
    match args.verb {
        None => serve(context, config),
        Some(cli::ServeVerb::Check) => check::run(&config),
        Some(cli::ServeVerb::Keys(ref verb)) => keys::run(&config, verb),
        Some(cli::ServeVerb::Migrate) => migrate(&config),
    }
}

fn read(path: &Path) -> Result<Config, Failure> {
    let unreadable =
        |why: &dyn std::fmt::Display| Failure::new(Code::Configuration, format!("{}: {why}", path.display()));
    let config = Config::parse(&named_text(path, "docs/serve.md")?)
        .map_err(|error| Failure { remedy: error.remedy.clone(), ..unreadable(&error) })?;
    Ok(config.beside(&directory_of(path)?))
}

/// Makes the database, or brings it up to this program's form, and ends.
fn migrate(config: &Config) -> Result<Outcome, Failure> {
    let ring = check::ring(&config.keys)?;
    check::proven(&config.database, &ring)?;
    // A service that runs would have its schema changed under it.
    let _node = Node::take(&config.database)?;
    Database::open_or_make(&config.database)?;
    Ok(Outcome::Document(format!("{} is up to date\n", config.database.display()).into_bytes()))
}

fn serve(context: &Context, config: Config) -> Result<Outcome, Failure> {
    let say = |text: &str| context.talk.say(&Event::Step(text));
    let ring = Arc::new(check::ring(&config.keys)?);
    let verifier = Arc::new(check::verifier(&config)?);
    check::secrets(&config)?;
    check_proxy()?;
    // A wrong key is told before anybody can knock, and before a byte of the database changes.
    check::proven(&config.database, &ring)?;
    let (files, _node) = Node::take(&config.database)?.into_parts();
    let store: Arc<dyn Store> = Arc::new(Database::open_or_make(&config.database)?);
    let door = open("listen", config.listen)?;
    let admin = config.admin.map(|address| open("admin", address)).transpose()?;
    let weaknesses = config.weaknesses().into_iter().chain(check::weak_keys(&config, &ring)?);
    weaknesses.for_each(|weakness| say(&format!("weaker than it could be: {weakness}")));

    let (tell, phase) = watch::channel(Phase::Open);
    let runtime = server::runtime().map_err(|e| Failure::new(Code::Internal, format!("no threads: {}", e.kind())))?;
    signal::notice_on(move |signal| match signal {
        // The configuration is read at the start only; whoever sends this out of habit shall not end the service.
        Signal::Hangup => {}
        Signal::Interrupt | Signal::Terminate => {
            tell.send_modify(|phase| *phase = if *phase == Phase::Open { Phase::Draining } else { Phase::Over });
        }
    });
    let log = AccessLog::new();
    let metrics = Arc::new(Metrics::default());
    let connections = config.connections;
    let ledger = Ledger { store: Arc::clone(&store), keys: Arc::clone(&ring) };
    let renewer = Renewer::new(ledger.clone(), Arc::new(Configured::new(config.catalog.clone())), files);
    let desk = Admin {
        store: Arc::clone(&store),
        verifier: Arc::clone(&verifier),
        metrics: Arc::clone(&metrics),
        phase: phase.clone(),
    };
    let public = at(&door, config.listen);
    say(&format!("serving {} at http://{public}", config.public_url.as_str()));
    if let (Some(door), Some(address)) = (&admin, config.admin) {
        say(&format!("state at http://{}", at(door, address)));
    }
    let service: Arc<dyn Respond> = Arc::new(Service {
        limits: Limits::new(&config.limits),
        config,
        ledger,
        renewer: renewer.clone(),
        verifier: Arc::clone(&verifier),
        providers: Providers::default(),
        metrics,
        log: log.writer(),
        numbers: Numbers::from(u64::from_be_bytes(entropy::random()?)),
        talk: context.talk.clone(),
        forwarding: Once::new(),
    });
    let ended = runtime.block_on(async {
        renewer.recover().await.map_err(|why| Failure::new(Code::Store, why))?;
        check::introduce(&ring, store.as_ref()).await?;
        tokio::spawn(keys_come(verifier, context.talk.clone()));
        tokio::spawn(sweep(store));
        tokio::spawn(renewer.clone().keep_fresh());
        if let Some(door) = admin {
            // It tells that the service drains, so it ends with the process only.
            let (_tell, open) = watch::channel(Phase::Open);
            tokio::spawn(async move {
                let _tell = _tell;
                Listener::new(door, Arc::new(desk), server::Limits::of(admin::CONNECTIONS), open).serve().await
            });
        }
        let unusable = |e: io::Error| Failure::new(Code::Internal, format!("the listener failed: {}", e.kind()));
        let listener = Listener::new(door, service, server::Limits::of(connections), phase);
        let mut helpers = listener.helpers().map_err(unusable)?;
        let ended = listener.serve().await;
        helpers.drained().await;
        renewer.settle().await;
        ended.map_err(unusable)
    });
    runtime.shutdown_background();
    log.finish();
    ended.map(|()| Outcome::Stopped)
}

/// Keys of issuers that have none yet, or old ones; a token with an unknown key asks beside that. What does not come is
/// asked for again, and told whenever the reason is another one.
async fn keys_come(verifier: Arc<Verifier>, talk: Talk) {
    let mut told = BTreeMap::new();
    loop {
        for issuer in verifier.stale(clock::now()) {
            let asking = Arc::clone(&verifier);
            let came = blocking(move || jwks::refetch(&asking, issuer, &Http::default(), clock::now())).await;
            let keys = format!("the keys of {}", verifier.issuer(issuer));
            match came.map_err(|why| why.to_string()) {
                Err(why) if told.get(&issuer) != Some(&why) => {
                    talk.say(&Event::Step(&format!("{keys} do not come: {why}; they are asked for every minute")));
                    told.insert(issuer, why);
                }
                Ok(Fetched::NewKeys) if told.remove(&issuer).is_some() => {
                    talk.say(&Event::Step(&format!("{keys} have come")));
                }
                Err(_) | Ok(_) => {}
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(15)).await;
    }
}

/// Removes flows that nobody finished (docs/threats.md, V36).
async fn sweep(store: Arc<dyn Store>) {
    const AT_ONCE: u32 = 500;
    loop {
        match store.sweep_flows(AT_ONCE, clock::now()).await {
            Ok(AT_ONCE) => {}
            Ok(_) | Err(_) => tokio::time::sleep(std::time::Duration::from_secs(60)).await,
        }
    }
}

fn open(name: &str, address: SocketAddr) -> Result<Door, Failure> {
    Door::open(address).map_err(|error| {
        let failure = Failure::new(Code::Unavailable, format!("cannot listen at {address}: {}", error.kind()));
        match error.kind() {
            ErrorKind::AddrInUse => failure.remedy(format!(
                "see what has that port: ss -ltnp 'sport = :{}'; or write another one as {name} under [server]",
                address.port()
            )),
            ErrorKind::AddrNotAvailable => failure.remedy(format!(
                "see which addresses are this machine's: ip address; write one as {name} under [server]"
            )),
            _ => failure.remedy(format!("write a port above 1023 as {name} under [server]")),
        }
    })
}

/// The address with the port that was bound.
fn at(door: &Door, written: SocketAddr) -> SocketAddr {
    door.address().unwrap_or(written)
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let failure = Self::new(Code::Store, &error);
        match error {
            OpenError::File(why) => why.into(),
            OpenError::Missing(_) => failure.remedy("loopin serve migrate --config FILE makes it"),
            OpenError::Taken(_) => failure.remedy("stop the other one, or write another url under [store]"),
            OpenError::Newer { .. } => failure.remedy("use the newer loopin"),
            OpenError::Fault(_) => failure,
        }
    }
}

impl From<WeakSecret> for Failure {
    fn from(weak: WeakSecret) -> Self {
        Self::new(Code::Configuration, weak).remedy("make one: openssl rand -base64 48")
    }
}
