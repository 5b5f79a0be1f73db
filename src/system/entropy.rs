//! Random bytes from the operating system's generator.
#![deny(clippy::let_underscore_must_use)]
#![expect(clippy::disallowed_types, reason = "this is where chance is drawn")]

use rand::{TryRng, rngs::SysRng};

use crate::vault::StoreError;

/// The operating system returned no random bytes, so nothing that needs them may continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy;

impl From<NoEntropy> for StoreError {
    fn from(_: NoEntropy) -> Self {
        Self::NoEntropy
    }
}

/// # Errors
/// The system's generator failed.
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| NoEntropy)?;
    Ok(bytes)
}
