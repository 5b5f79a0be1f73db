//! `loopin status`: what is stored, where, until when, and which command repairs it.

use super::context::Context;
use crate::{
    cli,
    report::{Asked, Failure, Outcome},
};

pub fn run(context: &Context, args: &cli::Status) -> Result<Outcome, Failure> {
    let asked = if args.integration.is_some() { Asked::One } else { Asked::All };
    Ok(Outcome::Status { status: context.grants()?.status(args.integration.as_deref())?, asked })
}
