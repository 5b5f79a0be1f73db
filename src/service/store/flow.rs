//! Flows: started by a user of an application, consumed once by the authorization response.

use std::time::SystemTime;

use super::FlowId;
use crate::{service::keys::Sealed, vault::GrantKey};

/// A flow that has not ended.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its identifier.
    pub id: FlowId,
    /// The connection that it is for.
    pub key: GrantKey,
    /// Where the browser is redirected in the end.
    pub app_callback_url: String,
    /// SHA-256 of the cookie of the browser that started it. `None`: not bound to a browser.
    pub browser: Option<[u8; 32]>,
    /// After this time the flow cannot be used.
    pub expires_at: SystemTime,
    /// The other values, with the code_verifier. Deleted with the flow.
    pub content: Sealed,
}

/// What is kept of a flow that ended: enough for an answer to the application, nothing that could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowDone {
    /// The identifier of the flow.
    pub id: FlowId,
    /// The connection that it was for.
    pub key: GrantKey,
    /// Where its browser is redirected.
    pub app_callback_url: String,
    /// SHA-256 of the cookie of its browser.
    pub browser: Option<[u8; 32]>,
    /// How it ended.
    pub end: FlowEnd,
    /// When it ended.
    pub ended_at: SystemTime,
}

/// How a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowEnd {
    /// Nobody used it in time.
    Expired,
    /// A response consumed it.
    Used,
}

/// The result of storing a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutFlow {
    /// It is stored.
    Stored,
    /// The user has too many unfinished flows.
    TooMany,
}

/// The result of taking a flow.
#[derive(Clone, Debug)]
pub enum Taken {
    /// The caller has the flow, and nobody else gets it.
    Now(Box<Flow>),
    /// The flow has ended or expired.
    Ended(Box<FlowDone>),
    /// The flow never existed, belongs to another integration, or ended too long ago.
    Unknown,
}
