//! `loopin login`: the browser, one click, and the tokens are in the store.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::context::{Context, grant};
use crate::{
    catalog::IntegrationName,
    cli::{self, How},
    grants::{Event, LoginRequest, NewSubject, WithoutBrowser},
    oauth::{Scope, Scopes},
    redirect::RelayedRedirect,
    report::{self, Code, Failure, Outcome},
    system::signal,
};

pub fn run(context: &Context, args: &cli::Login) -> Result<Outcome, Failure> {
    let (talk, form) = (context.talk.clone(), context.form);
    let storing = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&storing);
    let signals = Arc::new(signal::end_on(move |signal| {
        talk.clear();
        let what = match seen.load(Ordering::SeqCst) {
            true => "stopped while the tokens were being stored; loopin status tells whether they are",
            false => "stopped; nothing was changed",
        };
        report::fail(&Failure::new(Code::Signalled(signal), what), form)
    }));
    let (talk, armed) = (context.talk.clone(), Arc::clone(&signals));
    let grants = context.grants_heard_by(Arc::new(move |event| {
        match event {
            Event::Storing => storing.store(true, Ordering::SeqCst),
            Event::Done => armed.disarm(),
            _ => {}
        }
        talk.hear(event);
    }))?;
    let name = grants.integration(args.integration.as_deref())?.name.clone();
    let signed_in = grants.login(&request(&name, args)?);
    signals.disarm();
    context.talk.clear();
    Ok(Outcome::SignedIn(signed_in?))
}

fn request(integration: &IntegrationName, args: &cli::Login) -> Result<LoginRequest, Failure> {
    Ok(LoginRequest {
        new_subject: match args.grant.account {
            Some(_) => NewSubject::IsRefused,
            None => NewSubject::Replaces,
        },
        scopes: scopes(&args.scopes)?,
        browser: args.browser.clone(),
        without_browser: match args.how {
            How::Auto => WithoutBrowser::GoesOn,
            How::Browser => WithoutBrowser::Fails,
        },
        port: args.port,
        relay: args.relay.as_deref().map(relay).transpose()?,
        timeout: args.timeout,
        prompt: args.prompt.clone(),
        login_hint: args.login_hint.clone(),
        parameters: args.parameters.clone(),
        ..LoginRequest::new(grant(integration, &args.grant)?)
    })
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
