//! Which CA certificates count here, and what an error of TLS says about them.

use std::ffi::{OsStr, OsString};

use rustls::{CertificateError, Error};

use crate::{
    oauth::{CaStore, HttpError, printable},
    system::environment,
};

/// Of the verifier that found no CA certificate at all. It has no variant of its own.
const NO_CA: &str = "No CA certificates were loaded";

/// What an error of TLS means.
pub fn error(error: &Error) -> HttpError {
    match error {
        // A CA that has a new key under its old name gives a bad signature.
        Error::InvalidCertificate(CertificateError::BadSignature | CertificateError::UnknownIssuer) => {
            HttpError::UnknownCa(store())
        }
        Error::InvalidCertificate(why) => HttpError::Certificate(why.to_string()),
        Error::General(why) if why.starts_with(NO_CA) => HttpError::NoCa(store()),
        other => HttpError::Tls(other.to_string()),
    }
}

/// The store of every integration that names no file.
pub fn store() -> CaStore {
    match cfg!(any(windows, target_os = "macos")) {
        // Its own verifier reads no variable.
        true => CaStore::System,
        false => named(environment::as_set),
    }
}

/// The variables that replace the system's store: an empty `SSL_CERT_FILE` does, an empty `SSL_CERT_DIR` does not.
fn named(variable: impl Fn(&str) -> Option<OsString>) -> CaStore {
    let directories = variable("SSL_CERT_DIR").filter(|path| !path.is_empty());
    let found = match (variable("SSL_CERT_FILE"), directories) {
        (Some(file), _) => Some(("SSL_CERT_FILE", file)),
        (None, Some(directories)) => Some(("SSL_CERT_DIR", directories)),
        (None, None) => None,
    };
    found.map_or(CaStore::System, |(name, path)| CaStore::Variable { name, path: shown(&path) })
}

/// A path as it can be shown on a terminal.
pub fn shown(path: &OsStr) -> String {
    path.to_string_lossy().chars().map(|c| if printable(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d21_the_store_is_named_by_the_variable_that_replaces_it() {
        let of = |file: Option<&str>, directory: Option<&str>| {
            named(|name| if name == "SSL_CERT_FILE" { file } else { directory }.map(OsString::from)).to_string()
        };
        assert_eq!("SSL_CERT_FILE (\"/a.pem\")", of(Some("/a.pem"), Some("/b")));
        assert_eq!("SSL_CERT_FILE (\"\")", of(Some(""), None));
        assert_eq!("SSL_CERT_DIR (\"/b\")", of(None, Some("/b")));
        assert_eq!("the certificate store of this system", of(None, Some("")));
        assert_eq!("the certificate store of this system", of(None, None));
    }

    #[test]
    fn d21_an_unknown_ca_a_bad_certificate_and_another_error_of_tls_are_told_apart() {
        let of = |why| error(&why);
        for unknown in [CertificateError::UnknownIssuer, CertificateError::BadSignature] {
            assert!(matches!(of(Error::InvalidCertificate(unknown)), HttpError::UnknownCa(_)));
        }
        assert!(matches!(of(Error::InvalidCertificate(CertificateError::Expired)), HttpError::Certificate(_)));
        assert!(matches!(of(Error::HandshakeNotComplete), HttpError::Tls(_)));
    }
}
