//! One socket, plain or with TLS, with reads and writes that never block. TLS does no I/O itself, so a handshake is
//! only bytes before the first head, under the same deadlines.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::{ServerConfig, ServerConnection};

use crate::system::uninterrupted::uninterrupted;

pub(super) enum Stream {
    Plain(TcpStream, Peer),
    Tls(Box<TlsStream>),
}

/// What an event has told about the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// It has closed or reset the connection. Bytes that came before that may still be unread.
    HasEnded,
    MaySend,
}

pub(super) struct TlsStream {
    socket: TcpStream,
    session: ServerConnection,
    /// Received bytes that contain no readable data yet.
    undecided: usize,
}

impl Stream {
    /// # Errors
    /// The TLS configuration cannot be used.
    pub(super) fn new(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        let Some(config) = tls else { return Ok(Self::Plain(socket, Peer::MaySend)) };
        let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new(TlsStream { socket, session, undecided: 0 })))
    }

    pub(super) fn socket(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(socket, _) => socket,
            Self::Tls(stream) => &mut stream.socket,
        }
    }

    /// # Errors
    /// `WouldBlock`: wait for the next event. `Interrupted`: call again. Everything else ends the connection.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket, _) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }

    /// # Errors
    /// As [`Stream::read`].
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket, _) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    /// Passes everything that was written to the kernel.
    ///
    /// # Errors
    /// As [`Stream::read`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(..) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }

    /// The peer has ended the connection: no other event reports it again.
    pub(super) fn has_ended(&mut self) {
        if let Self::Plain(_, peer) = self {
            *peer = Peer::HasEnded;
        }
    }

    /// A read that did not fill its buffer has emptied the socket; later bytes cause another event. An end that came
    /// together with the bytes does not, so it must be read at once.
    pub(super) fn empties_by_short_read(&self) -> bool {
        // Where the system reports completion instead of readiness, only a read that would block requests the next
        // event.
        cfg!(unix) && matches!(self, Self::Plain(_, Peer::MaySend))
    }

    /// With TLS, sends the alert that shows that nothing is missing (RFC 8446 section 6.1).
    pub(super) fn take_leave(&mut self) {
        if let Self::Tls(stream) = self {
            stream.session.send_close_notify();
            // A peer without room for it has not read the reply either.
            let _ = stream.flush();
        }
    }

    /// # Errors
    /// The peer is gone.
    pub(super) fn shut_down(&mut self) -> io::Result<()> {
        self.take_leave();
        self.socket().shutdown(Shutdown::Write)
    }

    /// Bytes of memory for received data that cannot be read yet.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Plain(..) => 0,
            Self::Tls(stream) => stream.undecided,
        }
    }
}

impl TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for _ in 0..RECORDS {
            // If the peer does not read the handshake's answers, nothing more is read from it.
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
                // The alert with the reason.
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

/// Reads in a row without readable data, at most.
const RECORDS: usize = 16;

/// Bytes that a client may send before the handshake ends; a browser's hello has 2 KB.
const LONGEST_HANDSHAKE: usize = 16 * 1024;
