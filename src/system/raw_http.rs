//! HTTP requests as raw bytes, over TCP or TLS. HTTP libraries would correct the malformed requests that are needed
//! here.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, crypto::ring, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt;

use super::{clock, http, uninterrupted::uninterrupted};
use crate::{deadlines::RELAY_CHECK_ANSWERS, oauth::HttpError};

/// Largest response that is read, in bytes.
const LONGEST_REPLY: usize = 256 * 1024;

/// A server; one connection per request.
pub struct RawHttp {
    addresses: Vec<SocketAddr>,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl RawHttp {
    /// # Errors
    /// The name cannot be resolved.
    pub fn plain(host: &str, port: u16) -> Result<Self, HttpError> {
        let addresses = (host, port).to_socket_addrs().map_err(|_| HttpError::Connect(http::NO_NAME.into()))?;
        Ok(Self { addresses: addresses.collect(), tls: None })
    }

    /// The certificate is verified as the system would.
    ///
    /// # Errors
    /// The name cannot be resolved, or is not valid in a certificate.
    pub fn tls(host: &str, port: u16) -> Result<Self, HttpError> {
        let failed = |why: rustls::Error| HttpError::Tls(why.to_string());
        let name = ServerName::try_from(host.to_owned()).map_err(|why| HttpError::Tls(why.to_string()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(failed)?
            .with_no_client_auth();
        Ok(Self { tls: Some((Arc::new(config), name)), ..Self::plain(host, port)? })
    }

    /// Sends the bytes and reads to the end of the response's head. A response that is cut off, or missing, is returned
    /// as it is.
    ///
    /// # Errors
    /// The connection or its certificate failed, or the time is over.
    pub fn exchange(&self, request: &[u8]) -> Result<Vec<u8>, HttpError> {
        let stream = self.connect()?;
        stream
            .set_read_timeout(Some(RELAY_CHECK_ANSWERS))
            .and_then(|()| stream.set_write_timeout(Some(RELAY_CHECK_ANSWERS)))
            .map_err(|e| http::io(&e))?;
        match &self.tls {
            None => converse(stream, request),
            Some((config, name)) => {
                let mut connection = ClientConnection::new(Arc::clone(config), name.clone())
                    .map_err(|why| HttpError::Tls(why.to_string()))?;
                let mut stream = stream;
                while connection.is_handshaking() {
                    uninterrupted(|| connection.complete_io(&mut stream)).map_err(|why| http::io(&why))?;
                }
                converse(StreamOwned::new(connection, stream), request)
            }
        }
    }

    fn connect(&self) -> Result<TcpStream, HttpError> {
        let mut last = HttpError::Connect(http::NO_NAME.into());
        for address in &self.addresses {
            match TcpStream::connect_timeout(address, RELAY_CHECK_ANSWERS) {
                Ok(stream) => return Ok(stream),
                Err(why) => last = http::io(&why),
            }
        }
        Err(last)
    }
}

fn converse(mut stream: impl Read + Write, request: &[u8]) -> Result<Vec<u8>, HttpError> {
    let deadline = clock::instant() + RELAY_CHECK_ANSWERS;
    // A server that rejects early may close before it has read everything; the response shows that.
    let _ = stream.write_all(request).and_then(|()| stream.flush());
    let mut reply = Vec::new();
    let mut piece = [0; 4096];
    while !reply.windows(4).any(|four| four == b"\r\n\r\n") && reply.len() < LONGEST_REPLY {
        if clock::instant() >= deadline {
            return Err(HttpError::Timeout);
        }
        match uninterrupted(|| stream.read(&mut piece)) {
            Ok(0) => break,
            Ok(count) => reply.extend_from_slice(&piece[..count]),
            Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(HttpError::Timeout);
            }
            Err(_) => break,
        }
    }
    Ok(reply)
}
