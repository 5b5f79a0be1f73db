//! `loopin refresh-worker`: the one process that refreshes a grant. Its standard input is the locked file, so the lock
//! lives exactly as long as this process; it has a process session of its own, so that whoever asked may die.

use super::context::{Context, grant};
use crate::{
    cli,
    grants::ReportedError,
    refresh::WorkerMessage,
    report::{self, Failure},
    system::detach,
};

/// Prints the message and returns the exit code.
pub fn run(context: &Context, args: &cli::RefreshWorker) -> u8 {
    detach::own_session();
    report::worker(&work(context, args).unwrap_or_else(|failure| WorkerMessage::Failure(failure.into())))
}

fn work(context: &Context, args: &cli::RefreshWorker) -> Result<WorkerMessage<ReportedError>, Failure> {
    let grants = context.grants()?;
    let integration = grants.integration(Some(&args.integration))?;
    let message = grants.refresh_as_worker(&grant(&integration.name, &args.grant)?)?;
    Ok(message.map_failure(|error| report::describe(&error)))
}
