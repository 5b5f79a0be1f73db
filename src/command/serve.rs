//! `loopin serve`: the integration service, and the verbs that look after it.

mod check;
mod keys;

use std::{io::ErrorKind, net::SocketAddr, path::Path, sync::Arc};

use tokio::sync::watch;

use super::context::{Context, named_text};
use crate::{
    cli,
    grants::directory_of,
    report::{Code, Event, Failure, Outcome, Talk},
    server::{Notice, Notices, Parts, Server, ServerError},
    service::{config::Config, jwt::WeakSecret, store::Store},
    system::{
        database::{Database, Node, OpenError},
        http::check_proxy,
        server::{Door, Phase},
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
    check::ca_files(&config)?;
    check_proxy()?;
    // A wrong key is told before anybody can knock, and before a byte of the database changes.
    check::proven(&config.database, &ring)?;
    let (files, _node) = Node::take(&config.database)?.into_parts();
    let store: Arc<dyn Store> = Arc::new(Database::open_or_make(&config.database)?);
    let door = open("listen", config.listen)?;
    let admin = config.admin.map(|address| open("admin", address)).transpose()?;
    let weaknesses = config.weaknesses().into_iter().chain(check::weak_keys(&config, &ring)?);
    weaknesses.for_each(|weakness| say(&format!("weaker than it could be: {weakness}")));

    let public = at(&door, config.listen);
    say(&format!("serving {} at http://{public}", config.public_url.as_str()));
    if let (Some(door), Some(address)) = (&admin, config.admin) {
        say(&format!("state at http://{}", at(door, address)));
    }
    let (tell, phase) = watch::channel(Phase::Open);
    let notices = in_words(context.talk.clone());
    let server = Server::build(Parts { config, keys: ring, verifier, store, files, public: door, admin, notices })?;
    signal::notice_on(move |signal| match signal {
        // The configuration is read at the start only; whoever sends this out of habit shall not end the service.
        Signal::Hangup => {}
        Signal::Interrupt | Signal::Terminate => {
            tell.send_modify(|phase| *phase = if *phase == Phase::Open { Phase::Draining } else { Phase::Over });
        }
    });
    server.run(phase)?;
    Ok(Outcome::Stopped)
}

fn in_words(talk: Talk) -> Notices {
    Arc::new(move |notice| {
        let text = match notice {
            Notice::ForwardingIgnored { peer, header } => format!(
                "a request from {peer} has {header}, which is ignored because {peer} is not in trusted_proxies. If it is \
                 your proxy, add under [server]: trusted_proxies = [\"{peer}\"] (reported once)"
            ),
            Notice::ProviderFailed { integration, step, why, oauth_error } => {
                let code = oauth_error.map(|code| format!(" (OAuth error {code})")).unwrap_or_default();
                format!(
                    "[integration.{integration}]: {step} failed: {why}{code} (reported again when the reason changes; \
                     the access log has every failure)"
                )
            }
            Notice::TokenResponse { integration, what } => {
                format!("[integration.{integration}]: refresh: {what} (reported again when that changes)")
            }
            Notice::KeysFetched { issuer } => format!("the keys of {issuer} have come"),
            Notice::KeysMissing { issuer, why } => {
                format!("the keys of {issuer} do not come: {why}; they are asked for every minute")
            }
        };
        talk.say(&Event::Step(&text));
    })
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        let code = match &error {
            ServerError::Store(_) => Code::Store,
            ServerError::Listener(_) | ServerError::NoEntropy(_) | ServerError::Threads(_) => Code::Internal,
        };
        Self::new(code, error)
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
