//! `loopin relay`: serves, checks or exports the routes of `relay.toml`.

mod check;

use std::path::Path;

use super::context::{Context, looked_at, of_the_configuration};
use crate::{
    cli::{self, ExportedServer, RelayVerb},
    relay::{Scheme, export},
    relaying::{Kept, Notice, RelayError, RelayFile, RelayServer},
    report::{Code, Event, Failure, Outcome},
    system::{
        certificate::{Fault, Unfit},
        signal,
    },
};

pub fn run(context: &Context, args: &cli::Relay) -> Result<Outcome, Failure> {
    let path = context.named_config().ok_or_else(|| {
        Failure::new(Code::Usage, "the relay's configuration is not named").remedy("loopin relay --config relay.toml")
    })?;
    let file = RelayFile::at(path);
    match &args.verb {
        None => serve(context, file),
        Some(RelayVerb::Check(args)) => check::run(file.read()?, args),
        Some(RelayVerb::Export(args)) => {
            let write = match args.server {
                ExportedServer::Caddy => export::caddy,
                ExportedServer::Nginx => export::nginx,
            };
            // Another server looks for a relative path somewhere else.
            let place = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let beside = place.parent().unwrap_or(Path::new("/"));
            Ok(Outcome::Document(write(&file.read()?, beside).into_bytes()))
        }
    }
}

fn serve(context: &Context, file: RelayFile) -> Result<Outcome, Failure> {
    let server = RelayServer::build(file)?;
    let control = server.control();
    signal::notice_on(move |signal| control.signal(signal));
    server.run(&|notice| context.talk.say(&Event::Step(&in_words(notice))));
    Ok(Outcome::Stopped)
}

fn in_words(notice: &Notice<'_>) -> String {
    match notice {
        Notice::CertificateRead => "the certificate was read again".into(),
        Notice::ConfigurationRead => "the configuration was read again:".into(),
        Notice::Kept(what, why) => {
            let what = match what {
                Kept::Certificate => "certificate",
                Kept::Configuration => "configuration",
            };
            let Failure { code, what: reason, remedy, .. } = Failure::from(*why);
            let remedy = remedy.map_or_else(String::new, |remedy| format!(" → {remedy}"));
            format!("the old {what} stays ({}): {reason}{remedy}", code.word())
        }
        Notice::Relaying { at, scheme: Scheme::Https } => format!("relaying at https://{at}"),
        Notice::Relaying { at, scheme: Scheme::Http } => {
            format!("relaying at http://{at} (plain http: whoever stands in front of it speaks TLS)")
        }
        Notice::Route(route) => route.to_string(),
        Notice::State { at } => format!("state at http://{at}"),
    }
}

impl From<RelayError> for Failure {
    fn from(error: RelayError) -> Self {
        Self::from(&error)
    }
}

impl From<&RelayError> for Failure {
    fn from(error: &RelayError) -> Self {
        let configuration = Self::new(Code::Configuration, error);
        match error {
            RelayError::Certificate { why, .. } => configuration.remedy(usable_certificate(why)),
            RelayError::Configuration { why, .. } => Self { remedy: why.remedy.clone(), ..configuration },
            RelayError::Listen { .. } => Self::new(Code::Unavailable, error)
                .remedy("see what has that port, or write another one in the configuration"),
            RelayError::Missing(_) => configuration.remedy("begin with the one in README.md"),
            RelayError::NeedsRestart(_) => configuration.remedy("restart the relay"),
            RelayError::Unreadable { path, why } => looked_at(path, of_the_configuration(why.clone())),
        }
    }
}

fn usable_certificate(why: &Unfit) -> String {
    let chmod = match why {
        Unfit::Chain(Fault::Unreadable(why)) | Unfit::Key(Fault::Unreadable(why)) => Failure::from(why.clone()).remedy,
        _ => None,
    };
    chmod.unwrap_or_else(|| {
        let remedy = match why {
            Unfit::Chain(_) => "name a PEM file with the certificate and its chain",
            Unfit::Key(_) => "name a PEM file with the certificate's private key",
            Unfit::Mismatch => "name the key that the certificate was made for",
        };
        remedy.into()
    })
}
