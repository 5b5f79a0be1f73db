//! `loopin helper kubectl`: an exec credential plugin.

use super::{FRESH, configuration, said};
use crate::{
    cli::{self, KubectlVerb},
    command::context::{Context, grant},
    helper::kubectl::{self, ApiVersion, EXEC_INFO},
    refresh::Validity,
    report::{Event, Failure, Outcome},
    system::{clock, environment, paths},
};

pub fn run(context: &Context, args: &cli::KubectlHelper) -> Result<Outcome, Failure> {
    if let Some(KubectlVerb::Setup(args)) = &args.verb {
        return setup(context, args);
    }
    let version = ApiVersion::asked_for(environment::text(EXEC_INFO).as_deref())?;
    let grants = context.grants()?;
    let integration = grants.integration(args.token.integration.as_deref())?;
    let grant = grant(&integration.name, &args.token.grant)?;
    let (token, ask_again_at) = match args.token.id_token {
        true => {
            let found = grants.id_token(&grant, &FRESH)?;
            (found.token, found.validity.ask_again_at(clock::now()))
        }
        false => {
            let grant = grants.access_token(&grant, &FRESH)?.grant;
            let validity = grant.expiry.end().map(|until| Validity { from: grant.obtained_at, until });
            (grant.access_token, validity.and_then(|validity| validity.ask_again_at(clock::now())))
        }
    };
    Ok(said(kubectl::exec_credential(version, &token, ask_again_at)))
}

fn setup(context: &Context, args: &cli::KubectlToken) -> Result<Outcome, Failure> {
    let grants = context.grants()?;
    let integration = grants.integration(args.integration.as_deref())?;
    let mut words = context.global_arguments();
    words.extend(["helper", "kubectl", integration.name.as_str()].map(str::to_owned));
    words.extend(args.grant.words());
    if args.id_token {
        words.push("--id-token".into());
    }
    context.talk.say(&Event::Step(
        "a kubeconfig with one user: put the file's name into KUBECONFIG beside your own, and the user into a context:",
    ));
    Ok(configuration(kubectl::setup(&paths::program(), &integration.name, &words)))
}
