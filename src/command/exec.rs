//! `loopin exec`: a command that finds a valid access token in its environment or in a file descriptor.

use super::context::{Context, grant};
use crate::{
    cli,
    refresh::{MinTtl, Wish},
    report::{Code, Failure, Outcome},
    system::exec::{self, Handover},
};

pub fn run(context: &Context, args: &cli::Exec) -> Result<Outcome, Failure> {
    let grants = context.grants()?;
    let integration = grants.integration(args.integration.as_deref())?;
    let wish = Wish { min_ttl: args.min_ttl.map_or(MinTtl::Margin, MinTtl::AtLeast), rejected: None };
    let to = match args.fd {
        Some(number) => Handover::FileDescriptor(number),
        None => Handover::Variable(args.env.clone()),
    };
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::new(Code::Usage, "no command").remedy("loopin exec NAME -- COMMAND"));
    };
    let record = grants.access_token(&grant(&integration.name, &args.grant)?, &wish)?;
    let code = exec::exec(program, arguments, &record.grant.access_token, &to)
        .map_err(|why| Failure { what: format!("{}: {why}", program.to_string_lossy()), ..Failure::from(why) })?;
    Ok(Outcome::Ended(code))
}
