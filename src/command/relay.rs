//! `loopin relay`: the routes of `relay.toml` behind a socket; the state of it all behind another.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Instant,
};

mod check;

use super::context::Context;
use crate::{
    cli::{self, ExportedServer, RelayVerb},
    head::Rejection,
    relay::{Access, Readiness, Relay, Reload, State, export},
    report::{AccessLog, Code, Event, Failure, Outcome, Talk},
    system::{
        clock, config_file,
        listener::{Answer, Limits, Listener, Request, Service, Turn},
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
            Ok(Outcome::Document(write(&read(path)?).into_bytes()))
        }
    }
}

fn serve(context: &Context, path: &Path) -> Result<Outcome, Failure> {
    let relay = read(path)?;
    let listener = bind(relay.listen())?;
    let shared = Arc::new(Mutex::new(State::default()));
    if let Some(address) = relay.admin() {
        let admin = bind(address)?;
        context.talk.say(&Event::Step(&format!("state at http://{}", at(address, &admin))));
        let shared = Arc::clone(&shared);
        thread::spawn(move || drop(admin.run(Admin(shared))));
    }
    for route in relay.routes() {
        context.talk.say(&Event::Step(&route.to_string()));
    }
    let wishes = Arc::new(Wishes::default());
    let (waker, told) = (listener.waker(), Arc::clone(&wishes));
    signal::notice_on(move |signal| {
        match signal {
            Signal::Hangup => told.reload.store(true, Ordering::Relaxed),
            Signal::Interrupt | Signal::Terminate => {
                told.ends.fetch_add(1, Ordering::Relaxed);
            }
        }
        waker.wake();
    });
    let plain = "plain http: whoever stands in front of it speaks TLS";
    context.talk.say(&Event::Step(&format!("relaying at http://{} ({plain})", at(relay.listen(), &listener))));
    let (path, talk) = (path.to_owned(), context.talk.clone());
    let service = Relaying { relay, path, talk, state: shared, wishes, log: AccessLog::new() };
    listener.run(service).log.finish();
    Ok(Outcome::Stopped)
}

/// What signals ask for.
#[derive(Default)]
struct Wishes {
    reload: AtomicBool,
    /// The first lets everybody finish, the second does not.
    ends: AtomicU32,
}

struct Relaying {
    relay: Relay,
    path: PathBuf,
    talk: Talk,
    state: Arc<Mutex<State>>,
    wishes: Arc<Wishes>,
    log: AccessLog,
}

impl Service for Relaying {
    fn respond(&mut self, &Request { head, peer, .. }: &Request<'_>) -> Answer {
        let client = self.relay.proxies().client(peer.ip(), head);
        let decision = self.relay.respond(head);
        let environment = decision.route.map(|route| route.environment());
        let lost = self.log.write(&Access::of(client, head, &decision), clock::now()).is_err();
        let mut state = lock(&self.state);
        state.answered(environment, decision.reply.status_code());
        state.lost_lines += u64::from(lost);
        drop(state);
        Answer::Now(decision.reply)
    }

    fn unreadable(&mut self, rejection: Rejection) {
        let lost = self.log.write(&Access::of_rejection(rejection), clock::now()).is_err();
        let mut state = lock(&self.state);
        state.answered(None, rejection.status());
        state.lost_lines += u64::from(lost);
    }

    fn turn(&mut self, _: Instant) -> Turn {
        if self.wishes.reload.swap(false, Ordering::Relaxed) {
            self.reload();
        }
        match self.wishes.ends.load(Ordering::Relaxed) {
            0 => Turn::Continue,
            1 => {
                lock(&self.state).readiness = Readiness::Draining;
                Turn::Drain
            }
            _ => Turn::Stop,
        }
    }
}

impl Relaying {
    /// All of the new configuration or nothing of it.
    fn reload(&mut self) {
        let fresh = read(&self.path).and_then(|fresh| self.same_addresses(fresh));
        let reload = match fresh {
            Ok(fresh) => {
                self.relay = fresh;
                self.talk.say(&Event::Step("the configuration was read again:"));
                self.relay.routes().iter().for_each(|route| self.talk.say(&Event::Step(&route.to_string())));
                Reload::Taken
            }
            Err(failure) => {
                let remedy = failure.remedy.map_or_else(String::new, |remedy| format!(" → {remedy}"));
                let what = format!("the old configuration stays ({}): {}{remedy}", failure.code.word(), failure.what);
                self.talk.say(&Event::Step(&what));
                Reload::Refused
            }
        };
        lock(&self.state).reloaded(reload);
    }

    fn same_addresses(&self, fresh: Relay) -> Result<Relay, Failure> {
        if (fresh.listen(), fresh.admin()) == (self.relay.listen(), self.relay.admin()) {
            return Ok(fresh);
        }
        let what = format!("{}: listen and admin change only with a restart", self.path.display());
        Err(Failure::new(Code::Configuration, what).remedy("restart the relay"))
    }
}

struct Admin(Arc<Mutex<State>>);

impl Service for Admin {
    fn respond(&mut self, request: &Request<'_>) -> Answer {
        Answer::Now(lock(&self.0).respond(request.head))
    }

    fn turn(&mut self, _: Instant) -> Turn {
        Turn::Continue
    }
}

fn read(path: &Path) -> Result<Relay, Failure> {
    let unreadable =
        |why: &dyn std::fmt::Display| Failure::new(Code::Configuration, format!("{}: {why}", path.display()));
    let text = config_file::read_existing(path).map_err(|error| unreadable(&error.kind()))?;
    Relay::parse(&text).map_err(|error| Failure { remedy: error.remedy.clone(), ..unreadable(&error) })
}

fn bind(address: SocketAddr) -> Result<Listener, Failure> {
    let bound = Listener::bind_public(address).map(|listener| listener.with_limits(Limits::PUBLIC));
    bound.map_err(|error| {
        Failure::new(Code::Unavailable, format!("cannot listen at {address}: {}", error.kind()))
            .remedy("see what has that port, or write another one in the configuration")
    })
}

/// The address with the port that was bound.
fn at(mut address: SocketAddr, listener: &Listener) -> SocketAddr {
    address.set_port(listener.port().get());
    address
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
