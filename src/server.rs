//! The running service. Its rules are in `crate::service`; `command::serve` reads the configuration.
//!
//! [`Server::build`] creates it, [`Server::run`] serves requests until it is stopped. `request.rs` handles one request;
//! `authorize.rs`, `callback.rs`, `token.rs` and `connections.rs` are its routes; `refresh.rs` refreshes tokens;
//! `admin.rs` serves operators on a separate listener, and `provider_failure.rs` tells them why a provider was of no use.

mod access;
mod admin;
mod authorize;
mod callback;
mod connections;
mod integrations;
mod notices;
mod parsed_request;
mod provider_failure;
pub mod refresh;
mod request;
mod revocation;
pub mod sealed_store;
mod token;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Once},
    time::Duration,
};

use tokio::{runtime::Runtime, sync::watch, time::sleep};

pub use notices::{Notice, Notices};

use self::{
    access::Metrics,
    admin::Admin,
    integrations::{Configured, Providers},
    provider_failure::Reported,
    refresh::Refresher,
    request::{RequestNumbers, Service},
    sealed_store::{SealedStore, SealedStoreFault},
};
use crate::{
    service::{config::Config, jwt::Verifier, keys::KeyRing, rate::Limits, store::Store},
    system::{
        access_log::AccessLog,
        clock,
        entropy::{self, NoEntropy},
        http::Http,
        jwks::{self, Fetched},
        private_files::PrivateFiles,
        server::{self, Door, Listener, Phase, Respond, blocking},
    },
    vault::seal::Nonce,
};

/// How often issuers are checked for missing or old keys: a detail of this loop. A fetch is allowed once in
/// [`ISSUER_FETCH_PAUSE`](crate::deadlines::ISSUER_FETCH_PAUSE).
const KEYS_CHECKED: Duration = Duration::from_secs(15);
/// How often expired flows are removed. An expired flow does not count, removed or not.
const FLOWS_SWEPT: Duration = Duration::from_secs(60);
/// Flows removed in one transaction, so that no request waits long for it.
const FLOWS_AT_ONCE: u32 = 500;

/// What a server needs.
pub struct Parts {
    /// The checked configuration.
    pub config: Config,
    /// The keys of the database.
    pub keys: Arc<KeyRing>,
    /// Verifies callers' tokens.
    pub verifier: Arc<Verifier>,
    /// The database.
    pub store: Arc<dyn Store>,
    /// The directory for the journals of refreshes.
    pub files: PrivateFiles,
    /// The bound port for clients.
    pub public: Door,
    /// The bound port for operators, if there is one.
    pub admin: Option<Door>,
    /// Receives events for operators.
    pub notices: Notices,
}

/// A service with open sockets that does not accept connections yet.
pub struct Server {
    runtime: Runtime,
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    verifier: Arc<Verifier>,
    refresher: Refresher,
    metrics: Arc<Metrics>,
    service: Arc<Service>,
    public: Door,
    admin: Option<Door>,
    log: AccessLog,
    notices: Notices,
}

/// Why a server did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A port could not be used.
    #[error("the listener failed: {}", .0.kind())]
    Listener(#[source] io::Error),
    /// The system returned no random bytes.
    #[error(transparent)]
    NoEntropy(NoEntropy),
    /// The database could not be used at the start.
    #[error(transparent)]
    Store(SealedStoreFault),
    /// The system returned no threads.
    #[error("no threads: {}", .0.kind())]
    Threads(#[source] io::Error),
}

impl Server {
    /// # Errors
    /// The system returned no threads or no random bytes.
    pub fn build(parts: Parts) -> Result<Self, ServerError> {
        let Parts { config, keys, verifier, store, files, public, admin, notices } = parts;
        let runtime = server::runtime().map_err(ServerError::Threads)?;
        let log = AccessLog::new();
        let metrics = Arc::new(Metrics::default());
        let sealed = SealedStore { store: Arc::clone(&store), keys: Arc::clone(&keys) };
        let configured = Configured::new(config.catalog.clone(), notices.clone());
        let refresher = Refresher::new(sealed.clone(), Arc::new(configured), files);
        let first = entropy::random().map_err(ServerError::NoEntropy)?;
        let service = Arc::new(Service {
            limits: Limits::new(&config.limits),
            config,
            sealed,
            refresher: refresher.clone(),
            verifier: Arc::clone(&verifier),
            providers: Providers::default(),
            metrics: Arc::clone(&metrics),
            log: log.writer(),
            numbers: RequestNumbers::from(u64::from_be_bytes(first)),
            notices: notices.clone(),
            forwarding: Once::new(),
            reported: Reported::default(),
        });
        Ok(Self { runtime, store, keys, verifier, refresher, metrics, service, public, admin, log, notices })
    }

    /// Serves requests until `phase` ends, then finishes the accepted ones.
    ///
    /// # Errors
    /// The database cannot be used at the start, or the listener failed.
    pub fn run(self, phase: watch::Receiver<Phase>) -> Result<(), ServerError> {
        let Self { runtime, store, keys, verifier, refresher, metrics, service, public, admin, log, notices } = self;
        let admin_service =
            Admin { store: Arc::clone(&store), verifier: Arc::clone(&verifier), metrics, phase: phase.clone() };
        let connections = service.config.connections;
        let ended = runtime.block_on(async {
            refresher.recover().await.map_err(ServerError::Store)?;
            store_key_proofs(&keys, store.as_ref()).await?;
            tokio::spawn(fetch_keys(verifier, notices));
            tokio::spawn(sweep(store));
            tokio::spawn(refresher.clone().keep_fresh());
            if let Some(door) = admin {
                // It reports that the service drains, so it runs until the process ends.
                let (tell, open) = watch::channel(Phase::Open);
                tokio::spawn(async move {
                    let _tell = tell;
                    Listener::new(door, Arc::new(admin_service), server::Limits::of(admin::CONNECTIONS), open)
                        .serve()
                        .await
                });
            }
            let service: Arc<dyn Respond> = service;
            let listener = Listener::new(public, service, server::Limits::of(connections), phase);
            let mut helpers = listener.helpers().map_err(ServerError::Listener)?;
            let ended = listener.serve().await;
            helpers.drained().await;
            refresher.drain().await;
            ended.map_err(ServerError::Listener)
        });
        runtime.shutdown_background();
        log.finish();
        ended
    }
}

/// Stores proofs of new keys, so that the next start recognizes a wrong key.
async fn store_key_proofs(keys: &KeyRing, store: &dyn Store) -> Result<(), ServerError> {
    let known = store.key_checks().await.map_err(|why| ServerError::Store(why.into()))?;
    for id in keys.ids().filter(|id| known.iter().all(|(known, _)| known != *id)) {
        let nonce = Nonce(entropy::random().map_err(ServerError::NoEntropy)?);
        store
            .set_key_check(id.clone(), Some(keys.proof(id, nonce)))
            .await
            .map_err(|why| ServerError::Store(why.into()))?;
    }
    Ok(())
}

/// Fetches the keys of issuers that have none yet or old ones. (A token with an unknown key starts a fetch of its own.)
/// Failures are retried, and reported when the reason changes.
async fn fetch_keys(verifier: Arc<Verifier>, notices: Notices) {
    let mut reported = BTreeMap::new();
    loop {
        for issuer in verifier.stale(clock::now()) {
            let asking = Arc::clone(&verifier);
            let came = blocking(move || jwks::refetch(&asking, issuer, &Http::default(), clock::now())).await;
            let name = verifier.issuer(issuer).to_owned();
            match came.map_err(|why| why.to_string()) {
                Err(why) if reported.get(&issuer) != Some(&why) => {
                    notices(&Notice::KeysMissing { issuer: &name, why: &why });
                    reported.insert(issuer, why);
                }
                Ok(Fetched::NewKeys) if reported.remove(&issuer).is_some() => {
                    notices(&Notice::KeysFetched { issuer: &name });
                }
                Err(_) | Ok(_) => {}
            }
        }
        sleep(KEYS_CHECKED).await;
    }
}

/// Removes expired flows (docs/threats.md, V36).
async fn sweep(store: Arc<dyn Store>) {
    loop {
        match store.sweep_flows(FLOWS_AT_ONCE, clock::now()).await {
            Ok(FLOWS_AT_ONCE) => {}
            Ok(_) | Err(_) => sleep(FLOWS_SWEPT).await,
        }
    }
}
