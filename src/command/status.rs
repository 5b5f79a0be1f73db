//! `loopin status`: what is stored, where, until when, and how to fix it.

use super::context::Context;
use crate::{
    cli,
    grants::Stores,
    report::{Asked, Failure, Outcome},
};

pub fn run(context: &Context, args: &cli::Status) -> Result<Outcome, Failure> {
    let asked = if args.integration.is_some() { Asked::One } else { Asked::All };
    let stores = if args.all { Stores::All } else { Stores::Here };
    Ok(Outcome::Status { status: context.grants()?.status(args.integration.as_deref(), stores)?, asked })
}
