//! `loopin redirect check`.

use super::context::Context;
use crate::{
    catalog::IntegrationName,
    cli::{Check, Redirect},
    redirect::{RegisteredRedirect, rules},
    report::Outcome,
};

pub fn run(context: &Context, verb: &Redirect) -> Outcome {
    let Redirect::Check(Check { uri, sent }) = verb;
    let report = match sent {
        None => rules::check(uri),
        Some(sent) => rules::compare(uri, sent),
    };
    Outcome::Redirect { uri: uri.clone(), report, shared_by: shared_by(context, uri) }
}

/// A rule needs no configuration, so one that is missing or faulty only costs this warning.
fn shared_by(context: &Context, uri: &str) -> Vec<String> {
    let (Ok(catalog), Ok(redirect)) = (context.catalog(), RegisteredRedirect::parse(uri)) else { return Vec::new() };
    catalog.sharing_redirect(&redirect).into_iter().map(IntegrationName::to_string).collect()
}
