//! `loopin relay`: the routes of `relay.toml` behind a socket; the state of it all behind another. The workers serve;
//! here: starting them, and reading configuration and certificate again.

use std::{
    net::SocketAddr,
    num::{NonZeroU16, NonZeroUsize},
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

mod check;
mod worker;

use self::worker::{Admin, Shared, Worker};
use super::context::{Context, named_text};
use crate::{
    catalog::CatalogError,
    cli::{self, ExportedServer, RelayVerb},
    relay::{AccessLogging, Readiness, Relay, Reload, Settings, TlsFiles, export},
    report::{Code, Event, Failure, Outcome, Talk},
    system::{
        access_log::AccessLog,
        certificate::{Certificate, Fault, Files, Unfit},
        listener::{Limits, Listener},
        signal::{self, Signal},
    },
};

pub fn run(context: &Context, args: &cli::Relay) -> Result<Outcome, Failure> {
    let path = context.named_config().ok_or_else(|| {
        Failure::new(Code::Usage, "the relay's configuration is not named").remedy("loopin relay --config relay.toml")
    })?;
    match &args.verb {
        None => serve(context, path),
        Some(RelayVerb::Check(args)) => check::run(path, args),
        Some(RelayVerb::Export(args)) => {
            let write = match args.server {
                ExportedServer::Caddy => export::caddy,
                ExportedServer::Nginx => export::nginx,
            };
            // Another server looks for a relative path somewhere else.
            let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let beside = place.parent().unwrap_or(Path::new("/"));
            Ok(Outcome::Document(write(&read(path)?, beside).into_bytes()))
        }
    }
}

fn serve(context: &Context, path: &Path) -> Result<Outcome, Failure> {
    let relay = read(path)?;
    let Settings { listen, admin, tls, access_log } = relay.settings().clone();
    let certificate = tls.map(|tls| certificate(path, &tls)).transpose()?.map(Arc::new);
    let talk = &context.talk;
    let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let (mut listeners, port) = bind(listen, workers)?;
    if let Some(certificate) = &certificate {
        let config = Arc::clone(certificate).config();
        listeners = listeners.into_iter().map(|listener| listener.with_tls(Arc::clone(&config))).collect();
    }
    let routes: Vec<String> = relay.routes().iter().map(ToString::to_string).collect();
    let shared = Arc::new(Shared::new(relay, workers.get()));
    if let Some(address) = admin {
        let (admins, port) = bind(address, NonZeroUsize::MIN)?;
        talk.say(&Event::Step(&format!("state at http://{}", at(address, port))));
        for admin in admins {
            let shared = Arc::clone(&shared);
            thread::spawn(move || drop(admin.run(Admin(shared))));
        }
    }
    routes.iter().for_each(|route| talk.say(&Event::Step(route)));
    let (send, signals) = mpsc::channel();
    let (told, wakers) = (Arc::clone(&shared), listeners.iter().map(Listener::waker).collect::<Vec<_>>());
    // Kept, so that the channel outlives a system without signals.
    let _send = send.clone();
    signal::notice_on(move |signal| {
        if signal != Signal::Hangup {
            told.state().readiness = Readiness::Draining;
            told.end();
            wakers.iter().for_each(|waker| waker.wake());
        }
        // Without a receiver the end has begun.
        let _ = send.send(signal);
    });
    let at = at(listen, port);
    talk.say(&Event::Step(&match &certificate {
        Some(_) => format!("relaying at https://{at}"),
        None => format!("relaying at http://{at} (plain http: whoever stands in front of it speaks TLS)"),
    }));
    let log = match access_log {
        AccessLogging::Off => None,
        AccessLogging::On => Some(AccessLog::new()),
    };
    let workers: Vec<_> = (listeners.into_iter().enumerate())
        .map(|(number, listener)| {
            let worker = Worker::new(&shared, number, log.as_ref().map(AccessLog::sheet));
            thread::spawn(move || listener.run(worker).finish())
        })
        .collect();
    Keeper { path, talk, shared, certificate }.keep(&signals);
    for worker in workers {
        // A panic has said why by then.
        let _ = worker.join();
    }
    if let Some(log) = log {
        log.finish();
    }
    Ok(Outcome::Stopped)
}

/// Watches over configuration and certificate while the workers serve.
struct Keeper<'a> {
    path: &'a Path,
    talk: &'a Talk,
    shared: Arc<Shared>,
    certificate: Option<Arc<Certificate>>,
}

impl Keeper<'_> {
    /// Until the end is asked for.
    fn keep(&self, signals: &Receiver<Signal>) {
        while !self.shared.is_ending() {
            match signals.recv_timeout(LOOK) {
                Ok(Signal::Hangup) => self.reload(),
                Ok(Signal::Interrupt | Signal::Terminate) => return,
                Err(_) => match &self.certificate {
                    Some(certificate) if certificate.has_changed() => self.renew(certificate),
                    _ => {}
                },
            }
        }
    }

    /// All of the new configuration or nothing of it.
    fn reload(&self) {
        let fresh = read(self.path).and_then(|fresh| self.same_places(fresh)).and_then(|fresh| self.certified(fresh));
        match fresh {
            Ok(fresh) => {
                let routes: Vec<String> = fresh.routes().iter().map(ToString::to_string).collect();
                self.shared.replace(fresh);
                self.shared.state().reloaded(Reload::Taken);
                self.talk.say(&Event::Step("the configuration was read again:"));
                routes.iter().for_each(|route| self.talk.say(&Event::Step(route)));
            }
            Err(failure) => self.keep_old("configuration", failure),
        }
    }

    /// The files that the configuration names are others than before.
    fn renew(&self, certificate: &Certificate) {
        let relay = self.shared.relay();
        let Some(tls) = &relay.settings().tls else { return };
        match certificate.read_again(files(self.path, tls)) {
            Ok(()) => {
                self.shared.state().reloaded(Reload::Taken);
                self.talk.say(&Event::Step("the certificate was read again"));
            }
            Err(unfit) => self.keep_old("certificate", refused(self.path, tls, &unfit)),
        }
    }

    fn keep_old(&self, what: &str, failure: Failure) {
        self.shared.state().reloaded(Reload::Refused);
        let remedy = failure.remedy.map_or_else(String::new, |remedy| format!(" → {remedy}"));
        let what = format!("the old {what} stays ({}): {}{remedy}", failure.code.word(), failure.what);
        self.talk.say(&Event::Step(&what));
    }

    fn same_places(&self, fresh: Relay) -> Result<Relay, Failure> {
        let old = self.shared.relay();
        let fixed = |settings: &Settings| {
            (settings.listen, settings.admin, settings.tls.is_some(), settings.access_log == AccessLogging::On)
        };
        if fixed(fresh.settings()) == fixed(old.settings()) {
            return Ok(fresh);
        }
        let what = format!(
            "{}: listen, admin, access_log and whether there is tls change only with a restart",
            self.path.display()
        );
        Err(Failure::new(Code::Configuration, what).remedy("restart the relay"))
    }

    /// With the certificate that it names, from the next handshake on.
    fn certified(&self, fresh: Relay) -> Result<Relay, Failure> {
        if let (Some(certificate), Some(tls)) = (&self.certificate, &fresh.settings().tls) {
            certificate.read_again(files(self.path, tls)).map_err(|unfit| refused(self.path, tls, &unfit))?;
        }
        Ok(fresh)
    }
}

fn read(path: &Path) -> Result<Relay, Failure> {
    let unreadable =
        |why: &dyn std::fmt::Display| Failure::new(Code::Configuration, format!("{}: {why}", path.display()));
    Relay::parse(&named_text(path, "README.md")?)
        .map_err(|error| Failure { remedy: error.remedy.clone(), ..unreadable(&error) })
}

fn certificate(path: &Path, tls: &TlsFiles) -> Result<Certificate, Failure> {
    Certificate::read(files(path, tls)).map_err(|unfit| refused(path, tls, &unfit))
}

/// A relative path begins beside the configuration.
fn files(path: &Path, tls: &TlsFiles) -> Files {
    let beside = path.parent().unwrap_or(Path::new(""));
    Files { chain: beside.join(&tls.cert), key: beside.join(&tls.key) }
}

fn refused(path: &Path, tls: &TlsFiles, unfit: &Unfit) -> Failure {
    let chmod = match unfit {
        Unfit::Chain(Fault::Unreadable(why)) | Unfit::Key(Fault::Unreadable(why)) => Failure::from(why.clone()).remedy,
        _ => None,
    };
    let (name, place, file, remedy) = match unfit {
        Unfit::Chain(_) => ("cert", tls.cert_place, &tls.cert, "name a PEM file with the certificate and its chain"),
        Unfit::Key(_) => ("key", tls.key_place, &tls.key, "name a PEM file with the certificate's private key"),
        Unfit::Mismatch => ("key", tls.key_place, &tls.key, "name the key that the certificate was made for"),
    };
    let what = format!("tls.{name}: {}: {unfit}", file.display());
    let error = CatalogError { place: Some(place), what, remedy: None };
    Failure::new(Code::Configuration, format!("{}: {error}", path.display())).remedy(chmod.unwrap_or(remedy.into()))
}

/// For so many loops, and the port that was bound.
fn bind(address: SocketAddr, loops: NonZeroUsize) -> Result<(Vec<Listener>, NonZeroU16), Failure> {
    let limits = Limits::PUBLIC.shared_by(loops);
    let listeners = Listener::bind_public(address, loops).map_err(|error| {
        Failure::new(Code::Unavailable, format!("cannot listen at {address}: {}", error.kind()))
            .remedy("see what has that port, or write another one in the configuration")
    })?;
    let listeners: Vec<_> = listeners.into_iter().map(|listener| listener.with_limits(limits)).collect();
    let port = listeners.first().map_or(NonZeroU16::MIN, Listener::port);
    Ok((listeners, port))
}

/// The address with the port that was bound.
fn at(mut address: SocketAddr, port: NonZeroU16) -> SocketAddr {
    address.set_port(port.get());
    address
}

/// Between two looks at the files of the certificate.
const LOOK: Duration = Duration::from_secs(1);
