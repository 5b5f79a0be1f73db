//! `loopin relay check`: the odd queries, sent to this relay or to a deployed one, and the URIs to register.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use crate::{
    cli,
    oauth::HttpError,
    relay::{Answer, Callback, Place, Relay, Scheme},
    report::{CheckedCallback, Code, Failure, Outcome, RelayCheck},
    system::{
        listener::{self, Limits, Listener, Request, Service, Turn},
        raw_http::RawHttp,
    },
};

pub fn run(relay: Relay, args: &cli::RelayCheck) -> Result<Outcome, Failure> {
    match &args.against {
        None => itself(relay),
        Some(url) => deployed(&relay, url),
    }
}

/// On a port of its own, with the same code from the first byte to the last.
fn itself(relay: Relay) -> Result<Outcome, Failure> {
    let relay = Arc::new(relay);
    let listener = Listener::bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
        .map_err(|error| Failure::new(Code::Unavailable, format!("cannot listen at 127.0.0.1: {}", error.kind())))?
        .with_limits(Limits::PUBLIC);
    let (port, waker, over) = (listener.port().get(), listener.waker(), Arc::new(AtomicBool::new(false)));
    let service = Tried { relay: Arc::clone(&relay), over: Arc::clone(&over) };
    let thread = thread::spawn(move || drop(listener.run(service)));
    let unreachable = |why: HttpError| Failure::new(Code::Unavailable, format!("127.0.0.1:{port}: {why}"));
    let checked = RawHttp::plain("127.0.0.1", port)
        .and_then(|server| relay.callbacks().map(|callback| asked(callback, &server)).collect())
        .map_err(unreachable);
    over.store(true, Ordering::Relaxed);
    waker.wake();
    // It has nothing left to do.
    let _ = thread.join();
    Ok(Outcome::RelayCheck(RelayCheck { against: None, callbacks: checked?, elsewhere: Vec::new() }))
}

fn deployed(relay: &Relay, url: &str) -> Result<Outcome, Failure> {
    let place = Place::parse(url).map_err(|why| Failure::new(Code::Usage, format!("--against: {why}")))?;
    let unreachable = |why: HttpError| {
        Failure::new(Code::Unavailable, format!("{url} cannot be asked: {why}"))
            .remedy("see that the relay and what stands in front of it run, and that this machine can reach them")
    };
    let server = match place.scheme {
        Scheme::Http => RawHttp::plain(&place.host, place.port),
        Scheme::Https => RawHttp::tls(&place.host, place.port),
    };
    let server = server.map_err(unreachable)?;
    // A public name is asked for its own routes; an address behind it, or one that no route names, for all of them.
    let named = relay.callbacks().any(|callback| place.is_of(&callback));
    let (here, elsewhere): (Vec<_>, Vec<_>) = relay.callbacks().partition(|callback| !named || place.is_of(callback));
    let callbacks = here.into_iter().map(|callback| asked(callback, &server)).collect::<Result<_, _>>();
    let elsewhere = elsewhere.iter().map(Callback::uri).collect();
    Ok(Outcome::RelayCheck(RelayCheck {
        against: Some(url.to_owned()),
        callbacks: callbacks.map_err(unreachable)?,
        elsewhere,
    }))
}

fn asked(callback: Callback<'_>, server: &RawHttp) -> Result<CheckedCallback, HttpError> {
    let results = callback.check(|request| Ok(Answer::parse(&server.exchange(request)?).unwrap_or(Answer::NONE)))?;
    Ok(CheckedCallback::new(&callback, results))
}

struct Tried {
    relay: Arc<Relay>,
    over: Arc<AtomicBool>,
}

impl Service for Tried {
    fn respond(&mut self, request: &Request<'_>) -> listener::Answer {
        listener::Answer::Now(self.relay.respond(request.head).reply)
    }

    fn turn(&mut self, _: Instant) -> Turn {
        if self.over.load(Ordering::Relaxed) { Turn::Stop } else { Turn::Continue }
    }
}
