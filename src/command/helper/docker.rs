//! `loopin helper docker`: docker's credential helper. What goes wrong is told on standard output, with exit code 1.

use super::{Asked, FRESH, choose, configuration, no_hosts, nothing, said, serving};
use crate::{
    cli,
    command::context::Context,
    deadlines::HELPER_INPUT,
    helper::docker::{self, Action, DockerError, LARGEST, ServerUrl},
    report::{Answered, Event, Failure, Outcome},
    secret::Secret,
    system::{paths, stdin},
};

pub fn run(context: &Context, args: &cli::DockerHelper) -> Result<Outcome, Failure> {
    let action = match Action::parse(args.operation.as_deref()) {
        Ok(Action::Setup) => return setup(context, args),
        Ok(action) => action,
        Err(why) => return Ok(refused(&why.to_string())),
    };
    Ok(speak(context, args, action).unwrap_or_else(|why| match why {
        Told::Docker(why) => refused(&why.to_string()),
        Told::Ours(Failure { what, remedy, .. }) => {
            let text = match remedy {
                Some(remedy) => format!("loopin: {what} → {remedy}"),
                None => format!("loopin: {what}"),
            };
            // docker often goes on without credentials and drops what standard output said.
            context.talk.say(&Event::Step(&text));
            refused(&text)
        }
    }))
}

/// In docker's words, or in ours.
enum Told {
    Docker(DockerError),
    Ours(Failure),
}

impl From<DockerError> for Told {
    fn from(why: DockerError) -> Self {
        Self::Docker(why)
    }
}

impl<E: Into<Failure>> From<E> for Told {
    fn from(why: E) -> Self {
        Self::Ours(why.into())
    }
}

fn refused(text: &str) -> Outcome {
    Outcome::Spoken { text: Secret::new(format!("{text}\n")), answered: Answered::No }
}

fn speak(context: &Context, args: &cli::DockerHelper, action: Action) -> Result<Outcome, Told> {
    let input = || stdin::read(LARGEST, HELPER_INPUT, |_| false);
    match action {
        Action::Get => get(context, args, &ServerUrl::parse(&input()?)?),
        Action::List => list(context, args),
        Action::Version => Ok(said(Secret::new(docker::version()))),
        // docker logout; the grant goes with loopin logout alone.
        Action::Erase => ServerUrl::parse(&input()?).map(|_| nothing()).map_err(Told::from),
        Action::Store => {
            let url = docker::stored_for(&input()?)?;
            // docker login keeps again what it was given; a password for another server would be lost in silence.
            match serving(&context.catalog()?, &args.chosen, |host| url.is_for(host))?.is_empty() {
                false => Ok(nothing()),
                true => Ok(refused("loopin: no integration is for this server, and passwords are not kept here")),
            }
        }
        Action::Setup => Ok(setup(context, args)?),
    }
}

fn get(context: &Context, args: &cli::DockerHelper, url: &ServerUrl) -> Result<Outcome, Told> {
    let grants = context.grants()?;
    let serving = serving(grants.catalog(), &args.chosen, |host| url.is_for(host))?;
    let remedy = "let one integration alone have this server in its hosts";
    let asked = Asked { server: url.authority(), username: None, remedy };
    let chosen = choose(&serving, &args.chosen, &[], &asked)?.ok_or(DockerError::CredentialsNotFound)?;
    let record = grants.access_token(&chosen.grant, &FRESH)?;
    Ok(said(docker::credentials(url, &chosen.integration.basic_username, &record.grant.access_token)))
}

/// docker passes on what is listed to its daemon: none but hosts that a person wrote down, where somebody is logged in.
fn list(context: &Context, args: &cli::DockerHelper) -> Result<Outcome, Told> {
    let grants = context.grants()?;
    let known = grants.entries()?;
    let serving = serving(grants.catalog(), &args.chosen, |_| true)?;
    let signed_in = serving.iter().filter(|i| known.iter().any(|entry| entry.integration == i.name.as_str()));
    let hosts = signed_in.flat_map(|i| i.hosts.written().iter().map(|host| (host, &i.basic_username)));
    Ok(said(Secret::new(docker::list(hosts))))
}

fn setup(context: &Context, args: &cli::DockerHelper) -> Result<Outcome, Failure> {
    let catalog = context.catalog()?;
    let hosts: Vec<_> = serving(&catalog, &args.chosen, |_| true)?.iter().flat_map(|i| i.hosts.written()).collect();
    if hosts.is_empty() {
        return Err(no_hosts("registry.example.com"));
    }
    context.talk.say(&Event::Step(&format!(
        "merge it into ~/.docker/config.json; docker finds the helper by its name in a directory of PATH:\n  {}",
        docker::link(&paths::program())
    )));
    Ok(configuration(docker::setup(hosts.into_iter())))
}
