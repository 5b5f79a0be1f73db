//! Authenticated encryption: the content of a file can be decrypted only with its key and in its place.
//!
//! XChaCha20-Poly1305. The encrypted form is the nonce, then the ciphertext with its tag. All files use it: journals,
//! large records, the file store.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use crate::secret::{SealKey, Secret};

/// 24 random bytes: with XChaCha20 two nonces are never the same.
#[derive(Debug)]
pub struct Nonce(pub [u8; NONCE_BYTES]);

/// The length of a nonce in bytes.
pub const NONCE_BYTES: usize = 24;

/// `aad` names the place: in another place the bytes are rejected.
pub fn seal(key: &SealKey, aad: &[u8], nonce: Nonce, plain: &[u8]) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let Ok(sealed) = cipher.encrypt(&XNonce::from(nonce.0), Payload { msg: plain, aad }) else {
        unreachable!("XChaCha20-Poly1305 refuses only texts of over 256 GiB")
    };
    [nonce.0.as_slice(), &sealed].concat()
}

/// `None`: another key, another place, or altered bytes. The cases cannot be distinguished.
pub fn open(key: &SealKey, aad: &[u8], sealed: &[u8]) -> Option<Secret> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let plain = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad }).ok()?;
    String::from_utf8(plain).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_in_its_place_and_unaltered() {
        let key = SealKey::new([1; 32]);
        let sealed = seal(&key, b"here", Nonce([2; 24]), b"canary");
        assert!(!sealed.windows(6).any(|w| w == b"canary"));
        assert!(open(&key, b"here", &sealed).is_some_and(|s| s.matches("canary")));
        assert!(open(&key, b"there", &sealed).is_none(), "another place");
        assert!(open(&SealKey::new([3; 32]), b"here", &sealed).is_none(), "another key");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(open(&key, b"here", &altered).is_none(), "byte {at} altered");
        }
        for length in 0..sealed.len() {
            assert!(open(&key, b"here", &sealed[..length]).is_none(), "cut at {length}");
        }
    }
}
