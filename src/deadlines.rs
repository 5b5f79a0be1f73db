//! How long the program waits, in one table: deadlines that depend on each other, or that the documentation promises.
//!
//! Each has its reason beside it. What must hold between them is checked below when the crate is compiled, so a new value
//! either fits all the others or does not build. A time that concerns one file only stays in that file.

use std::time::Duration;

// The requests of a command, and a refresh by its worker.

/// All requests that a command makes for one purpose (a refresh, an exchange, a revocation): a provider that is silent,
/// or slow, is waited for once.
pub const COMMAND_REQUESTS: Duration = Duration::from_secs(28);
/// A connection to a provider or its proxy is open within this time, or it is given up.
pub const CONNECTS: Duration = Duration::from_secs(10);
/// `serve check` and `doctor` compare all integrations with their providers' metadata within this time, and report those
/// that take longer.
pub const PROVIDERS_COMPARED: Duration = Duration::from_secs(20);
/// The first place where a provider's metadata may be has this long; then the second is asked.
pub const FIRST_METADATA_ARRIVES: Duration = Duration::from_secs(8);
/// A request may be sent again if it failed this early. A connection that took longer is not tried twice.
pub const FAILED_AT_ONCE: Duration = Duration::from_secs(5);
/// From the first try of a refresh to its last repetition; a longer `Retry-After` is not waited for either.
pub const RETRIES_LAST: Duration = Duration::from_secs(10);
/// The worker repeats a failed write of the new tokens for this long. Then they stay in the journal until the next run.
pub const STORE_RETRIES: Duration = Duration::from_secs(3);
/// A command waits this long for another program's lock, which is held for the length of a refresh.
pub const LOCK_WAITS: Duration = Duration::from_secs(30);
/// A caller waits this long for the lock and for the worker together. The worker goes on when nobody waits any more.
pub const ASKER_WAITS: Duration = Duration::from_secs(34);
/// The same while the stored token is still valid: a better one is worth a short wait, not a provider that hangs.
pub const ASKER_WITH_A_VALID_TOKEN_WAITS: Duration = Duration::from_secs(2);
/// With what a command does before and after a refresh, it ends within this time.
const COMMAND_ENDS: Duration = Duration::from_secs(35);
/// A credential helper reads its input for this long (docs/threats.md, P04).
pub const HELPER_INPUT: Duration = Duration::from_secs(4);
/// `integration diagnose` waits this long for another program to send a response: the program may be asking a provider.
pub const SAVED_RESPONSE: Duration = Duration::from_secs(60);

const _: () = assert!(longer(CONNECTS, FAILED_AT_ONCE), "a connection that timed out is not tried twice");
const _: () = assert!(longer(RETRIES_LAST, FAILED_AT_ONCE), "what failed at once can be repeated");
const _: () = assert!(longer(COMMAND_REQUESTS, sum(RETRIES_LAST, RETRIES_LAST)), "the last repetition has time left");
const _: () = assert!(
    longer(COMMAND_REQUESTS, sum(FIRST_METADATA_ARRIVES, CONNECTS)),
    "a place that never answers leaves time for the next"
);
const _: () = assert!(longer(COMMAND_REQUESTS, CONNECTS), "a slow connection leaves time for the response");
const _: () = assert!(longer(LOCK_WAITS, COMMAND_REQUESTS), "who waits for the lock outlasts the holder's requests");
const _: () = assert!(longer(ASKER_WAITS, LOCK_WAITS), "a lock that was obtained late still leaves time to read");
const _: () = assert!(longer(ASKER_WAITS, sum(COMMAND_REQUESTS, STORE_RETRIES)), "a worker ends before its asker does");
const _: () = assert!(longer(ASKER_WAITS, ASKER_WITH_A_VALID_TOKEN_WAITS), "a valid token shortens the wait");
const _: () = assert!(longer(COMMAND_ENDS, ASKER_WAITS), "a command ends soon after it stops waiting");

// A login.

/// A user has this long to sign in, unless the caller says otherwise: the default of `--timeout`.
pub const USER_SIGNS_IN: Duration = Duration::from_secs(300);
/// A login that has no answer after this long shows what it sent: the provider may have rejected it on a page of its own,
/// which loopin does not see. A login that waits for less than twice as long shows it at half of its time.
pub const PROVIDER_IS_SILENT: Duration = Duration::from_secs(30);
/// One poll of a login by device code. One that was sent before the login's time is over is still waited for, so that no
/// approval is lost.
pub const DEVICE_POLL_ANSWERS: Duration = Duration::from_secs(12);
/// The browser's callback request is held open this long, so that its page can show the outcome.
pub const BROWSER_HELD: Duration = Duration::from_secs(8);
/// The browser has this long to fetch the final page once the outcome is known.
pub const FINAL_PAGE_FETCHED: Duration = Duration::from_secs(2);

const _: () = assert!(longer(USER_SIGNS_IN, sum(PROVIDER_IS_SILENT, PROVIDER_IS_SILENT)), "a user has time to compare");
const _: () = assert!(longer(DEVICE_POLL_ANSWERS, CONNECTS), "a slow connection leaves time for the response");
const _: () = assert!(longer(COMMAND_REQUESTS, BROWSER_HELD), "a browser is not held until a slow exchange fails");

// The keychain.

/// One call to the keychain where no unlock dialog can appear (docs/threats.md, S03).
pub const KEYCHAIN_ANSWERS: Duration = Duration::from_secs(5);
/// The same where the desktop may show its unlock dialog and a user types a password.
pub const KEYCHAIN_UNLOCKED: Duration = Duration::from_secs(60);
/// A keychain that is busy, restarting or gone for a moment is called again for this long.
pub const KEYCHAIN_RETRIES: Duration = Duration::from_secs(3);
/// A session bus that is alive answers the first line of its protocol within this time.
pub const BUS_GREETS: Duration = Duration::from_secs(1);
/// All calls to the Secret Service for one item.
pub const SECRET_SERVICE_CALLS: Duration = Duration::from_millis(4500);

const _: () = assert!(longer(KEYCHAIN_ANSWERS, SECRET_SERVICE_CALLS), "the reason arrives before the deadline");
const _: () = assert!(longer(KEYCHAIN_UNLOCKED, sum(KEYCHAIN_ANSWERS, BUS_GREETS)), "a dialog gets more time");

// Listeners, the relay and the service's sockets.

/// A request must have arrived within this time: its head after the connection was accepted (docs/threats.md, L22), and
/// in the service its body after the head.
pub const REQUEST_ARRIVES: Duration = Duration::from_secs(10);
/// A response must have left within this time, whoever reads slowly.
pub const RESPONSE_LEAVES: Duration = Duration::from_secs(10);
/// A connection stays open this long after its response, so that no reset overtakes the response.
pub const LISTENER_LINGERS: Duration = Duration::from_secs(1);
/// The relay finishes accepted requests for this long when it is stopped (docs/threats.md, Y22).
pub const RELAY_DRAINS: Duration = Duration::from_secs(10);
/// The relay keeps a connection open this long for its next request.
pub const CONNECTION_IDLES: Duration = Duration::from_secs(60);
/// `relay check` waits this long for each read and write of a query that it sends.
pub const RELAY_CHECK_ANSWERS: Duration = Duration::from_secs(10);
/// The access log is written out for this long at the end; its reader may have stopped reading.
pub const LOG_FINISHES: Duration = Duration::from_secs(2);

const _: () = assert!(longer(RELAY_DRAINS, LISTENER_LINGERS), "a stopped relay still closes without a reset");
const _: () = assert!(!longer(REQUEST_ARRIVES, RELAY_DRAINS), "a request that arrives slowly is still answered");
const _: () = assert!(longer(CONNECTION_IDLES, REQUEST_ARRIVES), "a kept connection outlasts a request on it");

// A refresh by the service.

/// All requests of one refresh.
pub const SERVICE_REQUESTS: Duration = Duration::from_secs(20);
/// A node has the lease of a connection this long. If the node dies, another one takes over after that.
pub const LEASE_LASTS: Duration = Duration::from_secs(30);
/// A lease that ends later than this was written before the clock was set back, and does not count. It is longer than a
/// lease lasts because the node that asks may have read the clock before the node that has the lease.
pub const LEASE_FARTHEST: Duration = Duration::from_secs(60);
/// A write of another process to the database is waited for this long.
pub const DATABASE_WAITS: Duration = Duration::from_secs(10);
/// A caller of the service waits this long for a refresh.
pub const CALLER_WAITS: Duration = Duration::from_secs(25);
/// The service finishes accepted requests for this long when it is stopped.
pub const SERVICE_DRAINS: Duration = Duration::from_secs(25);
/// The first pause after a failed refresh of a connection. It doubles with each further failure.
pub const FIRST_DELAY: Duration = Duration::from_secs(5);
/// The longest of these pauses, and the longest `Retry-After` of a token request.
pub const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);
/// No refresh is sent for this long after a provider has rejected an integration's client: only its operator can help.
pub const CLIENT_REJECTED_PAUSE: Duration = Duration::from_secs(60);
/// A provider that asks for a later try is not left alone for longer than this.
pub const DELAY_LASTS: Duration = Duration::from_secs(3600);
/// A delay that ends later than this was written before the clock was set back, and does not count.
pub const DELAY_FARTHEST: Duration = Duration::from_secs(2 * 3600);

const _: () = assert!(longer(SERVICE_REQUESTS, CONNECTS), "a slow connection leaves time for the response");
const _: () = assert!(longer(SERVICE_REQUESTS, RETRIES_LAST), "requests are repeated within their deadline");
const _: () = assert!(longer(LEASE_LASTS, SERVICE_REQUESTS), "a lease outlasts every request made under it");
const _: () = assert!(
    !longer(sum(SERVICE_REQUESTS, DATABASE_WAITS), LEASE_LASTS),
    "the last response is stored under the lease, even if the database is busy"
);
const _: () = assert!(longer(LEASE_FARTHEST, LEASE_LASTS), "a lease that was just written counts");
const _: () = assert!(longer(CALLER_WAITS, SERVICE_REQUESTS), "a caller learns how the requests ended");
const _: () = assert!(!longer(CALLER_WAITS, SERVICE_DRAINS), "callers are answered before the service ends");
const _: () = assert!(longer(LONGEST_DELAY, FIRST_DELAY), "delays grow");
const _: () = assert!(longer(DELAY_LASTS, LONGEST_DELAY), "a provider may ask for more than the longest delay");
const _: () = assert!(longer(DELAY_FARTHEST, DELAY_LASTS), "a delay that was just written counts");

// What the service returns in `Retry-After`, and how often it fetches the keys of issuers.

/// The database cannot be used: most often another program is writing for a moment.
pub const DATABASE_RETRY: Duration = Duration::from_secs(2);
/// A provider cannot be reached during a login.
pub const PROVIDER_RETRY: Duration = Duration::from_secs(5);
/// An issuer's keys are missing. They are fetched again within [`ISSUER_FETCH_PAUSE`].
pub const ISSUER_RETRY: Duration = Duration::from_secs(10);
/// A user has too many unfinished flows. One of them may have ended by then.
pub const FLOW_LIMIT_RETRY: Duration = Duration::from_secs(60);
/// An issuer is asked for its keys once in this time, whatever tokens arrive: any client can send tokens with new `kid`s.
pub const ISSUER_FETCH_PAUSE: Duration = Duration::from_secs(60);
/// Keys that are older are fetched again without a need, so that a withdrawn key is forgotten.
pub const ISSUER_KEYS_LAST: Duration = Duration::from_secs(15 * 60);

const _: () = assert!(longer(ISSUER_KEYS_LAST, ISSUER_FETCH_PAUSE), "old keys can be fetched again");

// A login through the service.

/// From the start of a flow to the provider's callback.
pub const FLOW_LIFE: Duration = Duration::from_secs(600);
/// From the making of a one-time link to its use (docs/serve.md).
pub const LINK_LIFE: Duration = Duration::from_secs(300);
/// A flow that ended is remembered this long, so that a browser that comes back gets the right page.
pub const FLOW_REMEMBERED: Duration = Duration::from_secs(24 * 3600);

const _: () = assert!(longer(FLOW_REMEMBERED, FLOW_LIFE), "a flow that expired is known as such");
const _: () = assert!(longer(FLOW_LIFE, FLOW_LIMIT_RETRY), "a user at the limit does not wait for a whole flow");

/// Compared in milliseconds: constants cannot compare durations.
const fn longer(one: Duration, other: Duration) -> bool {
    one.as_millis() > other.as_millis()
}

const fn sum(one: Duration, other: Duration) -> Duration {
    one.saturating_add(other)
}
