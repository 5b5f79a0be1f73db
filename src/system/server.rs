//! HTTP/1.1 for many callers at once: hyper on tokio, bounded in everything, and ended in order.

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

/// What strangers may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; who comes beyond waits in the system's queue.
    pub connections: usize,
    /// From the beginning of a connection, or the last byte of an answer, to the end of the next head.
    pub head: Duration,
    /// From there to the end of the body.
    pub body: Duration,
    /// From an answer to its last byte in the kernel.
    pub write: Duration,
}

impl Limits {
    pub fn of(connections: usize) -> Self {
        Self { connections, head: REQUEST_ARRIVES, body: REQUEST_ARRIVES, write: RESPONSE_LEAVES }
    }
}

/// For a head, in bytes: a whole authorization response of 16 KiB and a few cookies.
const BUFFER: usize = 64 * 1024;
const BODY: usize = 64 * 1024;
const FIELDS: usize = 100;
/// The pause after a failed accept (too many open files), until other connections have ended: a detail of this loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A request, whole, and where its connection comes from.
#[derive(Debug)]
pub struct Request {
    pub http: HttpRequest,
    pub peer: IpAddr,
}

/// An answer that is being made.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Who answers.
pub trait Respond: Send + Sync + 'static {
    fn respond(&self, request: Request) -> Answering<'_>;
}

/// A port that is ours; nobody is answered yet.
#[derive(Debug)]
pub struct Door(TcpListener);

impl Door {
    /// # Errors
    /// The address is not ours or not free.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// # Errors
    /// The system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Whether the service goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Open,
    /// Nobody new is taken; who was taken is answered.
    Draining,
    /// At once.
    Over,
}

/// Of this thread. There is one a thread, and connections stay on theirs: to hand them about costs a system call at either
/// end and a switch of threads, for nearly every request.
///
/// # Errors
/// The system gives no descriptors.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().thread_name("serve").build()
}

/// For what blocks, such as a request to a provider.
///
/// # Panics
/// As `work` does.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A port, who answers there, within which bounds and for how long.
pub struct Listener {
    door: Door,
    service: Arc<dyn Respond>,
    limits: Limits,
    places: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
}

/// Threads that answer at the same port.
pub struct Helpers {
    drained: JoinSet<()>,
    /// Gone: they may end.
    _release: watch::Sender<()>,
}

impl Listener {
    pub fn new(door: Door, service: Arc<dyn Respond>, limits: Limits, phase: watch::Receiver<Phase>) -> Self {
        Self { door, service, limits, places: Arc::new(Semaphore::new(limits.connections)), phase }
    }

    /// As many threads as there are cores beside this one. What they have begun goes on until they are dropped.
    ///
    /// # Errors
    /// The system gives no threads or descriptors.
    pub fn helpers(&self) -> io::Result<Helpers> {
        let (release, released) = watch::channel(());
        let mut drained = JoinSet::new();
        for _ in 1..std::thread::available_parallelism().map_or(1, NonZero::get) {
            let (other, mut released) = (self.another()?, released.clone());
            let (tell, told) = oneshot::channel();
            let runtime = runtime()?;
            std::thread::Builder::new().name("serve".into()).spawn(move || {
                runtime.block_on(async {
                    // An error is the first thread's as well: it has the same port.
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

    /// Answers until the phase is no longer open, then lets everybody finish.
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
    /// Waits until all of them have let everybody finish.
    pub async fn drained(&mut self) {
        while self.drained.join_next().await.is_some() {}
    }
}

/// Never where nobody is left to tell (a system without these signals).
async fn changed(phase: &mut watch::Receiver<Phase>) {
    if phase.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// As `changed`, until the phase is one of these.
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
    // Without a timer the deadline is no deadline.
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
