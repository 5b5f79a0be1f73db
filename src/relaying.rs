//! The running relay: the routes of `relay.toml` behind one socket, its state behind another, until it is asked to end.
//! The rules are in `crate::relay`; `command::relay` reads the command line and puts the notices into words.
//!
//! [`RelayServer::build`] opens the sockets, [`RelayServer::run`] answers until [`Control::signal`] ends it. `worker` is
//! one thread that answers; `file` reads the configuration and its certificate, at the start and again later.

mod error;
mod file;
mod worker;

use std::{
    net::SocketAddr,
    num::{NonZeroU16, NonZeroUsize},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use self::{
    error::Fixed,
    worker::{Admin, Shared, Worker},
};
pub use self::{error::RelayError, file::RelayFile};
use crate::{
    relay::{AccessLogging, Readiness, Relay, Reload, Route, Scheme, Settings},
    system::{
        access_log::AccessLog,
        certificate::Certificate,
        listener::{Limits, Listener, Waker},
        signal::Signal,
    },
};

/// How often the certificate's files are looked at.
const FILES_CHECKED: Duration = Duration::from_secs(1);

/// What the operator is told while the relay runs, as data; the program puts it into words.
#[derive(Debug)]
pub enum Notice<'a> {
    CertificateRead,
    ConfigurationRead,
    /// What was read again is refused, so the old one stays.
    Kept(Kept, &'a RelayError),
    /// The socket takes connections.
    Relaying {
        at: SocketAddr,
        scheme: Scheme,
    },
    Route(&'a Route),
    /// Where the state of the relay can be read.
    State {
        at: SocketAddr,
    },
}

/// What stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Certificate,
    Configuration,
}

/// Receives the notices, on the thread of [`RelayServer::run`].
pub type Notices<'a> = dyn Fn(&Notice<'_>) + 'a;

/// A relay whose sockets are open and that answers nobody yet.
pub struct RelayServer {
    file: RelayFile,
    shared: Arc<Shared>,
    certificate: Option<Arc<Certificate>>,
    listeners: Vec<Listener>,
    at: SocketAddr,
    admin: Option<(Vec<Listener>, SocketAddr)>,
    access_log: AccessLogging,
    signals: (Sender<Signal>, Receiver<Signal>),
}

impl RelayServer {
    /// Reads the configuration and its certificate and opens the sockets, one listener a core.
    ///
    /// # Errors
    /// The configuration or the certificate cannot be used, or an address cannot be listened at.
    pub fn build(file: RelayFile) -> Result<Self, RelayError> {
        let relay = file.read()?;
        let Settings { listen, admin, tls, access_log } = relay.settings().clone();
        let certificate = tls.map(|tls| file.certificate(&tls)).transpose()?.map(Arc::new);
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let (mut listeners, at) = bind(listen, workers)?;
        if let Some(certificate) = &certificate {
            let config = Arc::clone(certificate).config();
            listeners = listeners.into_iter().map(|listener| listener.with_tls(Arc::clone(&config))).collect();
        }
        let admin = admin.map(|address| bind(address, NonZeroUsize::MIN)).transpose()?;
        let shared = Arc::new(Shared::new(relay, workers.get()));
        Ok(Self { file, shared, certificate, listeners, at, admin, access_log, signals: mpsc::channel() })
    }

    /// Ends the relay or makes it read its configuration again, from any thread.
    pub fn control(&self) -> Control {
        Control {
            shared: Arc::clone(&self.shared),
            wakers: self.listeners.iter().map(Listener::waker).collect(),
            signals: self.signals.0.clone(),
        }
    }

    /// Answers until [`Control::signal`] ends it, and finishes what was accepted.
    pub fn run(self, notices: &Notices<'_>) {
        let Self { file, shared, certificate, listeners, at, admin, access_log, signals } = self;
        if let Some((listeners, at)) = admin {
            notices(&Notice::State { at });
            for listener in listeners {
                let admin = Admin(Arc::clone(&shared));
                thread::spawn(move || drop(listener.run(admin)));
            }
        }
        shared.relay().routes().iter().for_each(|route| notices(&Notice::Route(route)));
        let scheme = if certificate.is_some() { Scheme::Https } else { Scheme::Http };
        notices(&Notice::Relaying { at, scheme });
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
        Reloading { file, notices, shared, certificate }.until_the_end(&signals.1);
        for worker in workers {
            // A panic has said why by then.
            let _ = worker.join();
        }
        if let Some(log) = log {
            log.finish();
        }
    }
}

/// Passes signals to a running relay.
pub struct Control {
    shared: Arc<Shared>,
    wakers: Vec<Waker>,
    signals: Sender<Signal>,
}

impl Control {
    /// A hang-up makes the relay read its configuration again. Any other signal ends it: after the first, requests that
    /// were accepted are still answered; the second closes everything.
    pub fn signal(&self, signal: Signal) {
        if signal != Signal::Hangup {
            self.shared.state().readiness = Readiness::Draining;
            self.shared.end();
            self.wakers.iter().for_each(Waker::wake);
        }
        // Without a receiver the relay has ended.
        let _ = self.signals.send(signal);
    }
}

/// Reads the configuration and the certificate again while the workers answer.
struct Reloading<'a> {
    file: RelayFile,
    notices: &'a Notices<'a>,
    shared: Arc<Shared>,
    certificate: Option<Arc<Certificate>>,
}

impl Reloading<'_> {
    fn until_the_end(&self, signals: &Receiver<Signal>) {
        while !self.shared.is_ending() {
            match signals.recv_timeout(FILES_CHECKED) {
                Ok(Signal::Hangup) => self.read_configuration(),
                Ok(Signal::Interrupt | Signal::Terminate) => return,
                Err(_) => match &self.certificate {
                    Some(certificate) if certificate.has_changed() => self.read_certificate(certificate),
                    _ => {}
                },
            }
        }
    }

    /// All of the new configuration or nothing of it.
    fn read_configuration(&self) {
        let fresh = self.file.read().and_then(|fresh| self.same_sockets(fresh)).and_then(|fresh| self.certified(fresh));
        match fresh {
            Ok(fresh) => {
                self.shared.replace(fresh);
                self.shared.state().reloaded(Reload::Taken);
                (self.notices)(&Notice::ConfigurationRead);
                self.shared.relay().routes().iter().for_each(|route| (self.notices)(&Notice::Route(route)));
            }
            Err(why) => self.keep(Kept::Configuration, &why),
        }
    }

    /// The files that the configuration names have changed.
    fn read_certificate(&self, certificate: &Certificate) {
        let relay = self.shared.relay();
        let Some(tls) = &relay.settings().tls else { return };
        match self.file.certificate_again(certificate, tls) {
            Ok(()) => {
                self.shared.state().reloaded(Reload::Taken);
                (self.notices)(&Notice::CertificateRead);
            }
            Err(why) => self.keep(Kept::Certificate, &why),
        }
    }

    fn keep(&self, what: Kept, why: &RelayError) {
        self.shared.state().reloaded(Reload::Refused);
        (self.notices)(&Notice::Kept(what, why));
    }

    /// Sockets and logs are opened at the start only.
    fn same_sockets(&self, fresh: Relay) -> Result<Relay, RelayError> {
        match Fixed::of(fresh.settings()) == Fixed::of(self.shared.relay().settings()) {
            true => Ok(fresh),
            false => Err(RelayError::NeedsRestart(self.file.path().to_owned())),
        }
    }

    /// With the certificate that it names, from the next handshake on.
    fn certified(&self, fresh: Relay) -> Result<Relay, RelayError> {
        if let (Some(certificate), Some(tls)) = (&self.certificate, &fresh.settings().tls) {
            self.file.certificate_again(certificate, tls)?;
        }
        Ok(fresh)
    }
}

/// Listeners for so many loops, and the address with the port that was bound.
fn bind(mut address: SocketAddr, loops: NonZeroUsize) -> Result<(Vec<Listener>, SocketAddr), RelayError> {
    let limits = Limits::PUBLIC.shared_by(loops);
    let listeners =
        Listener::bind_public(address, loops).map_err(|why| RelayError::Listen { address, why: why.kind() })?;
    let listeners: Vec<_> = listeners.into_iter().map(|listener| listener.with_limits(limits)).collect();
    address.set_port(listeners.first().map_or(NonZeroU16::MIN, Listener::port).get());
    Ok((listeners, address))
}
