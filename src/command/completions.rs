//! `loopin completions SHELL`.

use crate::{
    cli::{self, Completions},
    report::Outcome,
};

pub fn run(args: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "loopin", &mut script);
    Outcome::Document(script)
}
