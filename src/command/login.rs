//! `loopin login`: the browser, one click, and the tokens are in the store.

mod paste;
pub(super) mod plan;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use paste::Pasting;
use plan::{NamedBrowser, Plan, Surroundings, Terminal, plan};

use super::{
    context::{Context, grant},
    secret_input,
};
use crate::{
    catalog::{Integration, IntegrationName},
    cli::{self, How},
    deadlines::USER_SIGNS_IN,
    grants::{Event, Handover, LoginRequest, NewSubject, Way},
    oauth::{Scope, Scopes},
    redirect::RelayedRedirect,
    report::{self, Code, Failure, Outcome, command},
    system::{environment, signal, terminal},
};

pub fn run(context: &Context, args: &cli::Login) -> Result<Outcome, Failure> {
    if args.refresh_token_stdin {
        return import(context, args);
    }
    let here = surroundings(args.browser.as_deref());
    let plan = plan(args.how, args.timeout, &here)?;
    let handover = Handover::default();
    let pasting = Arc::new(Pasting::new(plan.paste, here.elsewhere, handover.clone(), context.talk.clone()));
    let (talk, form, input) = (context.talk.clone(), context.form, Arc::clone(&pasting));
    let storing = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&storing);
    let signals = Arc::new(signal::end_on(move |signal| {
        input.end();
        talk.clear();
        let what = match seen.load(Ordering::SeqCst) {
            true => "stopped while the tokens were being stored; loopin status tells whether they are",
            false => "stopped; nothing was changed",
        };
        report::fail(&Failure::new(Code::Signalled(signal), what), form)
    }));
    let (talk, armed, input) = (context.talk.clone(), Arc::clone(&signals), Arc::clone(&pasting));
    let grants = context.grants_heard_by(Arc::new(move |event| {
        match event {
            Event::Storing => storing.store(true, Ordering::SeqCst),
            Event::Done => armed.disarm(),
            _ => {}
        }
        input.hear(event, || talk.hear(event));
    }))?;
    let integration = grants.integration(args.integration.as_deref())?;
    pasting.expects(integration.response_mode)?;
    let name = integration.name.clone();
    let signed_in = grants.login(&LoginRequest { handover, ..request(&name, args, plan)? });
    pasting.end();
    signals.disarm();
    context.talk.clear();
    let signed_in = signed_in?;
    note_other_store(context, grants.catalog().get(name.as_str())?);
    Ok(Outcome::SignedIn(signed_in))
}

fn import(context: &Context, args: &cli::Login) -> Result<Outcome, Failure> {
    let grants = context.grants()?;
    let integration = grants.integration(args.integration.as_deref())?;
    let grant = grant(&integration.name, &args.grant)?;
    let signed_in = grants.import(&grant, secret_input::read("refresh token")?)?;
    note_other_store(context, integration);
    context.talk.say(&report::Event::Step(
        "note: the other program must not use this refresh token any more: many providers end a login whose refresh token is \
         used twice",
    ));
    Ok(Outcome::SignedIn(signed_in))
}

/// A login in another store than the configured one is found there only by commands with the same `--store`.
fn note_other_store(context: &Context, integration: &Integration) {
    if let Some(kind) = context.settings.store.filter(|kind| *kind != integration.store) {
        let set = command(["integration", "set", integration.name.as_str(), "--store", kind.as_str()]);
        let kind = kind.as_str();
        let text =
            format!("note: other commands find this login with --store {kind} only; to make it permanent: {set}");
        context.talk.say(&report::Event::Step(&text));
    }
}

/// Where the program runs. `browser` is a command that an argument names.
pub(super) fn surroundings(browser: Option<&str>) -> Surroundings {
    Surroundings {
        desktop: environment::desktop(),
        browser: match (browser, environment::browser_variable()) {
            (None, None) => NamedBrowser::No,
            _ => NamedBrowser::Yes,
        },
        elsewhere: environment::elsewhere(),
        terminal: match terminal::stdin_is_terminal() && terminal::stderr_is_terminal() {
            true => Terminal::Here,
            false => Terminal::None,
        },
    }
}

fn request(integration: &IntegrationName, args: &cli::Login, plan: Plan) -> Result<LoginRequest, Failure> {
    Ok(LoginRequest {
        new_subject: match args.grant.account {
            Some(_) => NewSubject::IsRefused,
            None => NewSubject::Replaces,
        },
        scopes: scopes(&args.scopes)?,
        browser: args.browser.clone(),
        opening: plan.opening,
        without_browser: plan.without_browser,
        way: way(args)?,
        port: args.port,
        relay: args.relay.as_deref().map(relay).transpose()?,
        timeout: args.timeout.unwrap_or(USER_SIGNS_IN),
        prompt: args.prompt.clone(),
        login_hint: args.login_hint.clone(),
        parameters: args.parameters.clone(),
        ..LoginRequest::new(grant(integration, &args.grant)?)
    })
}

/// A login by device code has no redirect and opens no browser here.
fn way(args: &cli::Login) -> Result<Way, Failure> {
    if args.how != How::Device {
        return Ok(Way::Redirect);
    }
    let named =
        [("--browser", args.browser.is_some()), ("--port", args.port.is_some()), ("--relay", args.relay.is_some())];
    match named.into_iter().find_map(|(option, named)| named.then_some(option)) {
        None => Ok(Way::DeviceCode),
        Some(option) => {
            let what = format!("{option} has no meaning with --how device, which needs no redirect to this machine");
            Err(Failure::new(Code::Usage, what).remedy(format!("leave out {option} or --how device")))
        }
    }
}

/// Scopes that were named one by one, or several in one text.
pub fn scopes(texts: &[String]) -> Result<Scopes, Failure> {
    let named = texts.iter().map(|text| Scopes::parse(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(named.iter().flat_map(Scopes::iter).map(Scope::clone).collect())
}

fn relay(url: &str) -> Result<RelayedRedirect, Failure> {
    RelayedRedirect::parse(url).map_err(|why| {
        Failure::new(Code::Configuration, format!("--relay: {why}"))
            .remedy("name the URI that is registered, such as https://acme.example/cli/withings")
    })
}
