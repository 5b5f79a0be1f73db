//! Flows: begun by an application's user, consumed once by the answer of the provider.

use std::time::SystemTime;

use super::FlowId;
use crate::{service::keys::Sealed, vault::GrantKey};

/// A flow that has begun.
#[derive(Clone, Debug)]
pub struct Flow {
    pub id: FlowId,
    /// For whom, and what of.
    pub key: GrantKey,
    pub app_callback_url: String,
    /// SHA-256 of the cookie of the browser that began it; `None` where browsers are not bound.
    pub browser: Option<[u8; 32]>,
    pub expires_at: SystemTime,
    /// All else, with the code_verifier in it; gone when the flow is.
    pub content: Sealed,
}

/// What is remembered of a flow that ended: enough to tell the application, nothing that could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowDone {
    pub id: FlowId,
    pub key: GrantKey,
    pub app_callback_url: String,
    pub browser: Option<[u8; 32]>,
    pub end: FlowEnd,
    pub ended_at: SystemTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowEnd {
    Expired,
    Used,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutFlow {
    Stored,
    /// The user has as many unfinished flows as one may have.
    TooMany,
}

/// What came of taking a flow.
#[derive(Clone, Debug)]
pub enum Taken {
    /// It was there, and is the caller's alone now.
    Now(Box<Flow>),
    /// It ended before, or has expired.
    Ended(Box<FlowDone>),
    /// There never was one, not of this integration, or it ended too long ago.
    Unknown,
}
