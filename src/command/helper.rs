//! `loopin helper`: credential helpers for programs that ask for a token in a form of their own. Nothing is ever asked,
//! nothing is opened, and standard output has what the client wants to read or nothing.

mod docker;
mod git;
mod kubectl;

use std::{ffi::OsString, path::Path};

use super::context::{Context, grant};
use crate::{
    catalog::{Catalog, Host, Integration},
    cli::{self, GrantName},
    grants::GrantId,
    helper::{docker::Action, git::Operation},
    refresh::{MinTtl, Wish},
    report::{Answered, Code, Failure, Outcome, login_command},
    secret::Secret,
    vault::{AccountName, IndexEntry},
};

pub fn run(context: &Context, args: &cli::Helper) -> Result<Outcome, Failure> {
    match args {
        cli::Helper::Docker(args) => docker::run(context, args),
        cli::Helper::Git(args) => git::run(context, args),
        cli::Helper::Kubectl(args) => kubectl::run(context, args),
    }
}

/// Whether a user reads the output, not a client.
pub fn is_setup(args: &cli::Helper) -> bool {
    match args {
        cli::Helper::Docker(args) => matches!(Action::parse(args.operation.as_deref()), Ok(Action::Setup)),
        cli::Helper::Git(args) => matches!(Operation::parse(&args.operation), Operation::Setup),
        cli::Helper::Kubectl(args) => matches!(args.verb, Some(cli::KubectlVerb::Setup(_))),
    }
}

/// What is put into a client's configuration.
fn configuration(text: String) -> Outcome {
    Outcome::Document(text.into_bytes())
}

/// The command line of a program that was called by a client's name for it: `git-credential-loopin get` is
/// `loopin helper git get`.
pub fn by_name(arguments: Vec<OsString>) -> Vec<OsString> {
    let called = arguments.first().and_then(|name| Path::new(name).file_stem()?.to_str());
    let helper = match called {
        Some("docker-credential-loopin") => "docker",
        Some("git-credential-loopin") => "git",
        _ => return arguments,
    };
    let words = ["loopin", "helper", helper].map(OsString::from);
    words.into_iter().chain(arguments.into_iter().skip(1)).collect()
}

fn said(text: Secret) -> Outcome {
    Outcome::Spoken { text, answered: Answered::Yes }
}

fn nothing() -> Outcome {
    said(Secret::new(String::new()))
}

const FRESH: Wish = Wish { min_ttl: MinTtl::Margin, rejected: None };

/// A grant that belongs to a server.
struct Chosen<'a> {
    integration: &'a Integration,
    grant: GrantId,
}

/// What the client says about whom it asks for.
struct Asked<'a> {
    /// For messages.
    server: &'a str,
    username: Option<&'a str>,
    /// How to name one integration on this helper's command line.
    remedy: &'a str,
}

/// Integrations whose tokens this server may be given.
fn serving<'a>(
    catalog: &'a Catalog,
    args: &cli::Chosen,
    serves: impl Fn(&Host) -> bool,
) -> Result<Vec<&'a Integration>, Failure> {
    let named = args.integration.as_deref().map(|name| catalog.get(name)).transpose()?;
    let candidates = catalog.iter().filter(|i| named.is_none_or(|named| named.name == i.name));
    Ok(candidates.filter(|i| i.hosts.iter().any(&serves)).collect())
}

/// The one grant that is meant.
///
/// # Errors
/// More than one is, or the user name is that of nobody who is logged in.
fn choose<'a>(
    serving: &[&'a Integration],
    args: &cli::Chosen,
    entries: &[IndexEntry],
    asked: &Asked<'_>,
) -> Result<Option<Chosen<'a>>, Failure> {
    let Some(first) = serving.first() else { return Ok(None) };
    let matching: Vec<_> =
        serving.iter().filter_map(|i| Some((*i, account(i, args, entries, asked.username)?))).collect();
    match matching.as_slice() {
        [] => {
            let name = GrantName { account: asked.username.map(str::to_owned), action: args.grant.action.clone() };
            let what = format!(
                "nobody is logged in to {} as {}",
                first.name,
                asked.username.unwrap_or_default().escape_debug()
            );
            let command = grant(&first.name, &name).map(|grant| login_command(&grant));
            Err(Failure::new(Code::LoginRequired, what).remedy(command.unwrap_or_default()))
        }
        [(integration, account)] => {
            let name = GrantName { account: account.clone(), action: args.grant.action.clone() };
            Ok(Some(Chosen { integration, grant: grant(&integration.name, &name)? }))
        }
        several => {
            let names: Vec<_> = several.iter().map(|(i, _)| i.name.as_str()).collect();
            let what = format!("more than one integration is for {}: {}", asked.server, names.join(", "));
            Err(Failure::new(Code::Usage, what).remedy(asked.remedy))
        }
    }
}

/// Which account a user name stands for; `None` if it is that of nobody here. Addresses often carry a user name that
/// means nothing to the server, so it counts only where a person keeps accounts apart.
#[expect(clippy::option_option, reason = "the inner one is the default account")]
fn account(
    integration: &Integration,
    args: &cli::Chosen,
    entries: &[IndexEntry],
    username: Option<&str>,
) -> Option<Option<String>> {
    if args.grant.account.is_some() {
        return Some(args.grant.account.clone());
    }
    let Some(username) = username.filter(|name| *name != integration.basic_username.as_str()) else {
        return Some(None);
    };
    let mut own = entries.iter().filter(|entry| entry.integration == integration.name.as_str());
    let named: Vec<_> = own.by_ref().filter(|entry| entry.account != AccountName::default().as_str()).collect();
    match named.iter().any(|entry| entry.account == username) {
        true => Some(Some(username.to_owned())),
        false => named.is_empty().then_some(None),
    }
}

/// No server is named anywhere.
fn no_hosts(example: &str) -> Failure {
    Failure::new(Code::Configuration, "no integration says whom its tokens may be given to")
        .remedy(format!("add to the integration: hosts = [\"{example}\"]"))
}
