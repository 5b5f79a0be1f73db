//! What a provider does differently from the RFCs, as its preset or the user's table states it.

use super::Offline;
use crate::oauth::SecretMask;

/// The default keeps to the RFCs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    pub offline: Offline,
    pub secret_mask: SecretMask,
}
