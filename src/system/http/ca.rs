//! The file of CA certificates that an integration names (`ca`). Its certificates count in place of the system's.

use std::{fs, sync::Arc};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use ureq::tls::Certificate;

use crate::{
    catalog::CaFile,
    oauth::{CaFault, CaStore, HttpError},
    system::trusted_file::{self, Content},
    vault::{Exposure, StoreError},
};

/// Editors on Windows write it before the first line, which would hide the first certificate.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// All certificates of the file. None is left out in silence: a server would be refused for no visible reason.
///
/// # Errors
/// [`HttpError::UnusableCa`].
pub fn read(ca: &CaFile) -> Result<Arc<Vec<Certificate<'static>>>, HttpError> {
    certificates(ca).map(Arc::new).map_err(|why| HttpError::UnusableCa { store: store(ca), why })
}

/// How errors name the file.
pub fn store(ca: &CaFile) -> CaStore {
    CaStore::Integration { path: super::trust::shown(ca.path.as_os_str()), line: ca.line }
}

fn certificates(ca: &CaFile) -> Result<Vec<Certificate<'static>>, CaFault> {
    // It is read again for every request, so a pipe would block the second one.
    if fs::metadata(&ca.path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(CaFault::Unreadable("not a regular file".into()));
    }
    let bytes = trusted_file::read(&ca.path, Content::Public).map_err(unreadable)?;
    let pem = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    let mut usable = RootCertStore::empty();
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| CaFault::Damaged)?;
        certificates.push(Certificate::from_der(&certificate).to_owned());
        usable.add(certificate).map_err(|_| CaFault::Damaged)?;
    }
    if certificates.is_empty() { Err(CaFault::Empty) } else { Ok(certificates) }
}

fn unreadable(error: StoreError) -> CaFault {
    match error {
        StoreError::Exposed { why: Exposure::Mode { mode, rights }, .. } => {
            CaFault::Writable { mode, chmod: rights.chmod() }
        }
        StoreError::Exposed { why: Exposure::OtherOwner, .. } => CaFault::OtherOwner,
        StoreError::File { why, .. } => CaFault::Unreadable(why),
        other => CaFault::Unreadable(other.to_string()),
    }
}
