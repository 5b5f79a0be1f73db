//! The listener of a login: the first redirect of the integration whose port can be had.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU16,
};

use super::{Error, Event, Hear};
use crate::{
    redirect::{BindError, BoundRedirect, Landing, LoopbackHost, Port, RegisteredRedirect, RelayedRedirect},
    system::listener::Listener,
};

/// Where a login can listen.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Tried in order.
    pub redirects: Vec<RegisteredRedirect>,
    /// In place of a free port, for a redirect with `:0`.
    pub port: Option<NonZeroU16>,
    /// What is registered instead, and forwards to the redirect.
    pub relay: Option<RelayedRedirect>,
}

impl Binding {
    /// # Errors
    /// No redirect is on loopback, or nothing can listen there.
    pub(super) fn bind(&self, hear: &Hear) -> Result<(Listener, BoundRedirect), Error> {
        match &self.relay {
            None => self.first(hear),
            Some(relay) => {
                self.fixed()?;
                let (listener, redirect) = self.first(hear)?;
                Ok((listener, redirect.behind(relay)))
            }
        }
    }

    /// A relay's route ends in one place.
    fn fixed(&self) -> Result<(), Error> {
        let [redirect] = self.redirects.as_slice() else { return Err(Error::RelayToSeveral) };
        match (redirect.landing(), self.port) {
            (Landing::Loopback { port: Port::Ephemeral, .. }, None) => Err(Error::RelayToAnyPort),
            _ => Ok(()),
        }
    }

    fn first(&self, hear: &Hear) -> Result<(Listener, BoundRedirect), Error> {
        let (mut passed, mut elsewhere): (Option<(&RegisteredRedirect, Error)>, Option<Error>) = (None, None);
        for redirect in &self.redirects {
            let Landing::Loopback { host, port: stated } = redirect.landing() else {
                elsewhere = Some(Error::NotLoopback(redirect.clone()));
                continue;
            };
            let wanted = match (stated, self.port) {
                (Port::Ephemeral, None) => 0,
                (Port::Ephemeral, Some(port)) => port.get(),
                (Port::Fixed(fixed), Some(port)) if port != fixed => {
                    return Err(BindError::OtherPort { registered: fixed, bound: port }.into());
                }
                (Port::Fixed(fixed), _) => fixed.get(),
                (Port::Unstated, _) => return Err(BindError::PortUnstated.into()),
            };
            if let Some((redirect, why)) = &passed {
                hear(&Event::RedirectPassed { redirect, why });
            }
            match listen(host, wanted) {
                Ok(listener) => {
                    let bound = redirect.bind(listener.port())?;
                    return Ok((listener, bound));
                }
                Err(error) => {
                    (passed, elsewhere) = (Some((redirect, Error::Listen { host, port: wanted, error })), None);
                }
            }
        }
        Err(elsewhere.or(passed.map(|(_, why)| why)).unwrap_or(Error::NoRedirect))
    }
}

fn listen(host: LoopbackHost, port: u16) -> io::Result<Listener> {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    match host {
        LoopbackHost::V4 => Listener::bind(&[v4]),
        LoopbackHost::V6 => Listener::bind(&[v6]),
        // A browser may take either family for the name, so both must be ours. Without IPv6 nobody else has it either.
        LoopbackHost::Localhost => match Listener::bind(&[v4, v6]) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Listener::bind(&[v4]),
            other => other,
        },
    }
}
