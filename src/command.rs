//! One file per verb: the arguments become a request to an engine, and its result an outcome.

mod completions;
mod context;
mod demo;
mod doctor;
mod exec;
mod helper;
mod integration;
mod login;
mod logout;
mod man;
mod published;
mod redirect;
mod refresh_worker;
mod relay;
mod secret_input;
#[cfg(feature = "server")]
pub mod serve;
mod status;
mod stdio;
mod token;

use std::{ffi::OsString, process::ExitCode};

use clap::FromArgMatches;

use crate::{
    cli::{self, Cli, Verb},
    report::{self, Event, Form, Outcome, Talk, Verbosity},
    system::{clock, core_dumps},
};
use context::Context;

/// The whole program: arguments in, exit code out.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    report::install_panic_hook();
    if let Err(why) = core_dumps::forbid() {
        let text = format!("warning: core dumps cannot be turned off ({why}): one would hold secrets");
        Talk::new(Verbosity::Usual).say(&Event::Step(&text));
    }
    let arguments = helper::by_name(arguments.into_iter().collect());
    let form = if arguments.iter().any(|a| a == "--json") { Form::Json } else { Form::Text };
    // Asked for by installers and prompts all day long: answered without building the whole command line.
    if arguments.get(1).is_some_and(|a| a == "--version" || a == "-V") && arguments.len() == 2 {
        let version = concat!("loopin ", env!("CARGO_PKG_VERSION"), "\n");
        return report::finish(Ok(Outcome::Document(version.into())), Form::Text, clock::now()).into();
    }
    let parsed = cli::command().try_get_matches_from(&arguments).and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return report::command_line(&error, form).into(),
    };
    let context = match &cli.verb {
        Verb::Demo(_) => Context::new(&cli.global).narrating(),
        Verb::Helper(args) if helper::is_setup(args) => Context::new(&cli.global).without_prompts(),
        Verb::Helper(_) => Context::new(&cli.global).for_a_program(),
        _ => Context::new(&cli.global),
    };
    // A worker's messages reach the user through the command that started it, which has global arguments of its own.
    if !matches!(cli.verb, Verb::RefreshWorker(_)) {
        context.typed(&arguments).is_repeated();
    }
    let result = match &cli.verb {
        Verb::Completions(args) => Ok(completions::run(args)),
        Verb::Demo(args) => demo::run(&context, args),
        Verb::Doctor(args) => doctor::run(&context, args),
        Verb::Exec(args) => exec::run(&context, args),
        Verb::Helper(args) => helper::run(&context, args),
        Verb::Integration(verb) => integration::run(&context, verb),
        Verb::Login(args) => login::run(&context, args),
        Verb::Logout(args) => logout::run(&context, args),
        Verb::Man => Ok(man::run()),
        Verb::Redirect(verb) => Ok(redirect::run(&context, verb)),
        Verb::RefreshWorker(args) => return refresh_worker::run(&context, args).into(),
        Verb::Relay(args) => relay::run(&context, args),
        #[cfg(feature = "server")]
        Verb::Serve(args) => serve::run(&context, args),
        Verb::Stdio => return stdio::run(&context).into(),
        Verb::Status(args) => status::run(&context, args),
        Verb::Token(args) => token::run(&context, args),
    };
    let code = report::finish(result, context.form, clock::now());
    context.settings.last_page.wait();
    code.into()
}
