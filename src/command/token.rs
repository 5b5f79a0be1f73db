//! `loopin token`: a valid access token on standard output, and nothing else.

use super::{context::Context, hand_out};
use crate::{
    cli,
    refresh::{MinTtl, Rejected, Wish},
    report::{Event, Failure, Form, Outcome},
    system::{environment, terminal},
};

pub fn run(context: &Context, args: &cli::Token) -> Result<Outcome, Failure> {
    let integration = context.integration(args.integration.as_deref())?;
    let wish = Wish {
        min_ttl: args.min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast),
        rejected: args.rejected.as_deref().and_then(Rejected::parse),
    };
    let record = hand_out::access_token(context, &integration, &args.grant, &wish)?;
    if context.form == Form::Text && terminal::stdout_is_terminal() {
        context.talk.say(&Event::Pipe);
    }
    if environment::github_actions() {
        context.talk.say(&Event::CiLog);
    }
    Ok(Outcome::Token(Box::new(record)))
}
