//! `loopin helper git`: git's credential helper.

use super::{Asked, FRESH, choose, configuration, no_hosts, nothing, said, serving};
use crate::{
    catalog::{Catalog, Host, Protocol},
    cli,
    command::context::Context,
    deadlines::HELPER_INPUT,
    grants::GrantId,
    helper::git::{self, CAPABILITIES, Description, LARGEST, Operation},
    refresh::{MinTtl, Rejected, Wish},
    report::{Code, Event, Failure, Outcome},
    secret::Secret,
    system::{paths, stdin},
    vault::{AccountName, ActionKey},
};

pub fn run(context: &Context, args: &cli::GitHelper) -> Result<Outcome, Failure> {
    match Operation::parse(&args.operation) {
        Operation::Capability => Ok(said(Secret::new(CAPABILITIES.into()))),
        Operation::Erase => erase(context, args, &description()?),
        Operation::Get => get(context, args, &description()?),
        Operation::Setup => setup(context, args),
        // The store is ours to fill, from the provider alone.
        Operation::Store => description().map(|_| nothing()),
        Operation::Unknown => Ok(nothing()),
    }
}

fn description() -> Result<Description, Failure> {
    let bytes = stdin::read(LARGEST, HELPER_INPUT, git::is_whole)?;
    Ok(Description::parse(&bytes)?)
}

fn get(context: &Context, args: &cli::GitHelper, wanted: &Description) -> Result<Outcome, Failure> {
    let grants = context.grants()?;
    let serving = serving(grants.catalog(), &args.chosen, |host| wanted.is_for(host))?;
    if serving.is_empty() {
        return not_served(context, grants.catalog(), args, wanted);
    }
    let remedy = "name one behind loopin helper git: --integration NAME; or put an account's name into the address: \
                  https://ACCOUNT@HOST/";
    let asked = Asked { server: &wanted.host, username: wanted.username.as_deref(), remedy };
    let known = if wanted.username.is_some() { grants.entries()? } else { Vec::new() };
    let Some(chosen) = choose(&serving, &args.chosen, &known, &asked)? else { return Ok(nothing()) };
    let grant = grants.access_token(&chosen.grant, &FRESH)?.grant;
    let username = &chosen.integration.basic_username;
    Ok(said(wanted.answer(username, &grant.access_token, grant.expiry.end())?))
}

/// Another helper may know that server. What looks like a slip of the person is told, though.
fn not_served(
    context: &Context,
    catalog: &Catalog,
    args: &cli::GitHelper,
    wanted: &Description,
) -> Result<Outcome, Failure> {
    let encrypted = |host: &Host| host.protocol() == Protocol::Https && host.is_at(&wanted.host);
    if Protocol::parse(&wanted.protocol) == Some(Protocol::Http)
        && !serving(catalog, &args.chosen, encrypted)?.is_empty()
    {
        let what = "http would carry the token unencrypted; it is not handed out";
        return Err(Failure::new(Code::Refused, what).remedy(format!("use https://{}/", wanted.host.escape_debug())));
    }
    if let (Some(name), false) = (&args.chosen.integration, wanted.host.is_empty()) {
        let what = format!("{name} is not for {}://{}", wanted.protocol.escape_debug(), wanted.host.escape_debug());
        return Err(
            Failure::new(Code::Refused, what).remedy("if it is to be, add the host to hosts of the integration")
        );
    }
    context.talk.say(&Event::Verbose("no integration is for that host"));
    Ok(nothing())
}

/// The server has refused a credential: if its token is one that is stored, that one is renewed. The grant stays.
fn erase(context: &Context, args: &cli::GitHelper, refused: &Description) -> Result<Outcome, Failure> {
    let Some(token) = refused.token() else { return Ok(nothing()) };
    let grants = context.grants()?;
    let rejected = Rejected::of(&token);
    for integration in serving(grants.catalog(), &args.chosen, |host| refused.is_for(host))? {
        for entry in grants.entries()?.iter().filter(|entry| entry.integration == integration.name.as_str()) {
            let (account, action) = (AccountName::parse(&entry.account)?, ActionKey::parse(&entry.action)?);
            let grant = GrantId { integration: integration.name.clone(), account, action };
            if grants.holds(&grant, &rejected)? {
                let wish = Wish { min_ttl: MinTtl::Margin, rejected: Some(rejected.clone()) };
                grants.access_token(&grant, &wish)?;
            }
        }
    }
    Ok(nothing())
}

fn setup(context: &Context, args: &cli::GitHelper) -> Result<Outcome, Failure> {
    let catalog = context.catalog()?;
    let mut hosts: Vec<&Host> =
        serving(&catalog, &args.chosen, |_| true)?.iter().flat_map(|i| i.hosts.iter()).collect();
    hosts.sort_by_key(|host| host.to_string());
    hosts.dedup();
    if hosts.is_empty() {
        return Err(no_hosts("git.example.com"));
    }
    let words = [&context.global_arguments()[..], &["helper".into(), "git".into()], &args.chosen.words()].concat();
    let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
    context.talk.say(&Event::Step("append it to ~/.gitconfig:"));
    Ok(configuration(git::setup(&paths::program(), &words.join(" "), hosts.into_iter())))
}

/// For the shell that git hands the line to.
fn shell_word(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._/=".contains(&b);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
