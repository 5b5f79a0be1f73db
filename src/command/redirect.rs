//! `loopin redirect check`.

use crate::{
    cli::{Check, Redirect},
    redirect::rules,
    report::Outcome,
};

pub fn run(verb: &Redirect) -> Outcome {
    let Redirect::Check(Check { uri, sent }) = verb;
    let report = match sent {
        None => rules::check(uri),
        Some(sent) => rules::compare(uri, sent),
    };
    Outcome::Redirect { uri: uri.clone(), report }
}
