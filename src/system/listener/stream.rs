//! One socket, in clear or under TLS: reading and writing that never wait. TLS does no input and output of its own, so
//! a handshake is only bytes that come before the first head, under the same deadlines.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

use crate::system::uninterrupted::uninterrupted;

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

pub(super) struct TlsStream {
    socket: TcpStream,
    session: ServerConnection,
    /// Bytes that have come and of which nothing could be read yet.
    undecided: usize,
}

impl Stream {
    /// # Errors
    /// The configuration of TLS does not serve.
    pub(super) fn new(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        let Some(config) = tls else { return Ok(Self::Plain(socket)) };
        let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(TlsStream { socket, session, undecided: 0 })))
    }

    pub(super) fn socket(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.socket,
        }
    }

    /// # Errors
    /// `WouldBlock` until the next event, `Interrupted` to be called again; anything else is the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    /// # Errors
    /// As [`Stream::read`].
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    /// Everything that was written is the kernel's.
    ///
    /// # Errors
    /// As [`Stream::read`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }

    /// A read that did not fill its buffer has emptied the socket; what comes later is another event.
    pub(super) fn empties_by_short_read(&self) -> bool {
        // Where the system tells readiness by completion, only a read that would wait asks for the next event.
        cfg!(unix) && matches!(self, Self::Plain(_))
    }

    /// Says under TLS that nothing is missing (RFC 8446 §6.1).
    pub(super) fn take_leave(&mut self) {
        if let Self::Tls(stream) = self {
            stream.session.send_close_notify();
            // Who has no room for it has not read the reply either.
            let _ = stream.flush();
        }
    }

    /// # Errors
    /// The peer is gone.
    pub(super) fn shut_down(&mut self) -> io::Result<()> {
        self.take_leave();
        self.socket().shutdown(Shutdown::Write)
    }

    /// Bytes of memory behind what could not be read yet.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Plain(_) => 0,
            Self::Tls(stream) => stream.undecided,
        }
    }
}

impl TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for _ in 0..RECORDS {
            // Who does not read what the handshake answers is not read either.
            self.flush()?;
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            self.undecided += self.session.read_tls(&mut self.socket)?;
            if self.session.is_handshaking() && self.undecided > LONGEST_HANDSHAKE {
                return Err(ErrorKind::InvalidData.into());
            }
            let state = self.session.process_new_packets().map_err(|error| {
                // The alert that says why.
                let _ = self.flush();
                io::Error::new(ErrorKind::InvalidData, error)
            })?;
            if state.plaintext_bytes_to_read() > 0 {
                self.undecided = 0;
            }
        }
        Err(ErrorKind::Interrupted.into())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match (self.session.writer().write(bytes)?, self.flush()) {
                (0, Ok(())) => {}
                (0, Err(error)) => return Err(error),
                (taken, Ok(())) => return Ok(taken),
                (taken, Err(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(taken),
                (_, Err(error)) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if uninterrupted(|| self.session.write_tls(&mut self.socket))? == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

/// Reads in a row that bring nothing to read.
const RECORDS: usize = 16;

/// Bytes a client may send before the handshake is over; a browser's hello has 2 KB.
const LONGEST_HANDSHAKE: usize = 16 * 1024;
