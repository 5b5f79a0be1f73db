//! An HTTP/1.1 server for many clients: hyper on tokio, with limits on everything and an orderly end.

use std::{
    borrow::Cow,
    future::Future,
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    num::NonZero,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Response,
    body::{Bytes, Incoming},
    header::{HeaderName, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    runtime::Runtime,
    sync::{Semaphore, oneshot, watch},
    task::JoinSet,
    time::timeout,
};

use self::reader::BoundedWrites;
use crate::{
    deadlines::{REQUEST_ARRIVES, RESPONSE_LEAVES, SERVICE_DRAINS},
    oauth::HttpRequest,
    reply::Reply,
};

mod host;
mod reader;

/// Limits on what clients can use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections. More wait in the system's queue.
    pub connections: usize,
    /// Time from the accept, or the last byte of a response, to the end of the next head.
    pub head: Duration,
    /// Time from there to the end of the body.
    pub body: Duration,
    /// Time from a response to its last byte in the kernel.
    pub write: Duration,
}

impl Limits {
    pub fn of(connections: usize) -> Self {
        Self { connections, head: REQUEST_ARRIVES, body: REQUEST_ARRIVES, write: RESPONSE_LEAVES }
    }
}

/// The buffer for a head in bytes: an authorization response of 16 KiB and a few cookies.
const BUFFER: usize = 64 * 1024;
const BODY: usize = 64 * 1024;
const FIELDS: usize = 100;
/// The pause after a failed accept (too many open files), until other connections have ended: a detail of this loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A complete request and the address of its connection.
#[derive(Debug)]
pub struct Request {
    pub http: HttpRequest,
    pub peer: IpAddr,
}

/// A response in progress.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Responds to requests.
pub trait Respond: Send + Sync + 'static {
    fn respond(&self, request: Request) -> Answering<'_>;
}

/// A bound port on which no connection is accepted yet.
#[derive(Debug)]
pub struct Door(TcpListener);

impl Door {
    /// # Errors
    /// This machine does not have the address, or the port is taken.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// # Errors
    /// The system does not return the address.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Whether the service accepts connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Open,
    /// New connections are not accepted; accepted requests are finished.
    Draining,
    /// Everything ends at once.
    Over,
}

/// The runtime of this thread. Each thread has one, and connections stay on theirs: passing them on would cost system
/// calls and a thread switch for nearly every request.
///
/// # Errors
/// The system returned no descriptors.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().thread_name("serve").build()
}

/// Runs blocking work, such as a request to a provider.
///
/// # Panics
/// If `work` panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A port with its service, limits and phase.
pub struct Listener {
    door: Door,
    service: Arc<dyn Respond>,
    limits: Limits,
    places: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
}

/// Threads that serve the same port.
pub struct Helpers {
    drained: JoinSet<()>,
    /// The other end is dropped when they may end.
    _release: watch::Sender<()>,
}

impl Listener {
    pub fn new(door: Door, service: Arc<dyn Respond>, limits: Limits, phase: watch::Receiver<Phase>) -> Self {
        Self { door, service, limits, places: Arc::new(Semaphore::new(limits.connections)), phase }
    }

    /// Starts one thread per core, besides this one. What they have started continues until they are dropped.
    ///
    /// # Errors
    /// The system returned no threads or descriptors.
    pub fn helpers(&self) -> io::Result<Helpers> {
        let (release, released) = watch::channel(());
        let mut drained = JoinSet::new();
        for _ in 1..std::thread::available_parallelism().map_or(1, NonZero::get) {
            let (other, mut released) = (self.another()?, released.clone());
            let (tell, told) = oneshot::channel();
            let runtime = runtime()?;
            std::thread::Builder::new().name("serve".into()).spawn(move || {
                runtime.block_on(async {
                    // The first thread has the same port and reports the same error.
                    let _ = other.serve().await;
                    let _ = tell.send(());
                    while released.changed().await.is_ok() {}
                });
                runtime.shutdown_background();
            })?;
            drained.spawn(async { drop(told.await) });
        }
        Ok(Helpers { drained, _release: release })
    }

    fn another(&self) -> io::Result<Self> {
        let door = Door(self.door.0.try_clone()?);
        let (service, places, phase) = (Arc::clone(&self.service), Arc::clone(&self.places), self.phase.clone());
        Ok(Self { door, service, limits: self.limits, places, phase })
    }

    /// Serves while the phase is open, then finishes accepted requests.
    ///
    /// # Errors
    /// The port cannot be used.
    pub async fn serve(self) -> io::Result<()> {
        let Self { door, service, limits, places, mut phase } = self;
        let listener = tokio::net::TcpListener::from_std(door.0)?;
        let mut open = JoinSet::new();
        while *phase.borrow() == Phase::Open {
            let place = tokio::select! {
                place = Arc::clone(&places).acquire_owned() => place,
                () = changed(&mut phase) => continue,
            };
            let Ok(place) = place else { break };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = changed(&mut phase) => continue,
            };
            while open.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer)) => {
                    let _ = stream.set_nodelay(true);
                    let connection = connection(stream, peer.ip(), Arc::clone(&service), limits, phase.clone());
                    open.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
        drop(listener);
        let drained = timeout(SERVICE_DRAINS, async { while open.join_next().await.is_some() {} });
        tokio::select! {
            _ = drained => {}
            () = until(&mut phase, |phase| *phase == Phase::Over) => {}
        }
        open.shutdown().await;
        Ok(())
    }
}

impl Helpers {
    /// Waits until all of them have finished their requests.
    pub async fn drained(&mut self) {
        while self.drained.join_next().await.is_some() {}
    }
}

/// Never returns if nobody can change the phase (a system without these signals).
async fn changed(phase: &mut watch::Receiver<Phase>) {
    if phase.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until the phase is one of these.
async fn until(phase: &mut watch::Receiver<Phase>, wanted: impl FnMut(&Phase) -> bool) {
    if phase.wait_for(wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn connection(
    stream: tokio::net::TcpStream,
    peer: IpAddr,
    service: Arc<dyn Respond>,
    limits: Limits,
    mut phase: watch::Receiver<Phase>,
) {
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let service = Arc::clone(&service);
        async move { Ok::<_, std::convert::Infallible>(respond(request, peer, limits, service.as_ref()).await) }
    });
    let mut http = http1::Builder::new();
    // Without a timer there would be no deadline.
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(BUFFER).max_headers(FIELDS);
    let connection = http.serve_connection(TokioIo::new(BoundedWrites::new(stream, limits.write)), answer);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = until(&mut phase, |phase| *phase != Phase::Open) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    peer: IpAddr,
    limits: Limits,
    service: &dyn Respond,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    if let Err(why) = host::judge(&parts) {
        return whole(Reply::text(400, why.sentence()));
    }
    let reply = match timeout(limits.body, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => {
            let http = HttpRequest::from_parts(parts, body.to_bytes().into());
            service.respond(Request { http, peer }).await
        }
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Reply::status(413),
        Ok(Err(_)) => Reply::status(400),
        Err(_) => Reply::status(408),
    };
    whole(reply)
}

fn whole(reply: Reply) -> Response<Full<Bytes>> {
    response(reply).unwrap_or_else(|| {
        let mut failed = Response::new(Full::default());
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

fn response(reply: Reply) -> Option<Response<Full<Bytes>>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status_code()).ok()?;
    for (name, value) in reply.fields() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        response.headers_mut().append(name, HeaderValue::from_str(value).ok()?);
    }
    *response.body_mut() = match reply.into_body() {
        Cow::Borrowed(body) => Full::from(body),
        Cow::Owned(body) => Full::from(body),
    };
    Some(response)
}

#[cfg(test)]
mod tests;
