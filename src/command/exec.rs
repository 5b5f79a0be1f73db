//! `loopin exec`: a command that finds a valid access token in its environment or in a file descriptor.

use super::{context::Context, hand_out};
use crate::{
    cli,
    refresh::{MinTtl, Wish},
    report::{Code, Failure, Outcome},
    system::exec::{self, Handover},
};

pub fn run(context: &Context, args: &cli::Exec) -> Result<Outcome, Failure> {
    let integration = context.integration(args.integration.as_deref())?;
    let wish = Wish { min_ttl: args.min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast), rejected: None };
    let to = match args.fd {
        Some(number) => Handover::FileDescriptor(number),
        None => Handover::Variable(args.env.clone()),
    };
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::new(Code::Usage, "no command").remedy("loopin exec NAME -- COMMAND"));
    };
    let record = hand_out::access_token(context, &integration, &args.grant, &wish)?;
    let code = exec::exec(program, arguments, &record.grant.access_token, &to)
        .map_err(|why| Failure { what: format!("{}: {why}", program.to_string_lossy()), ..Failure::from(why) })?;
    Ok(Outcome::Ended(code))
}
