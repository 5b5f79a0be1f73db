//! `loopin completions SHELL`.

use clap::CommandFactory;

use crate::{
    cli::{Cli, Completions},
    report::Outcome,
};

pub fn run(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "loopin", &mut script);
    Outcome::Document(script)
}
