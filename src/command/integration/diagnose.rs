//! `loopin integration diagnose`.

use super::Context;
use crate::{
    cli,
    deadlines::SAVED_RESPONSE,
    oauth::{Diagnosis, SavedResponse, WireDialect},
    report::{Code, Diagnosed, Event, Failure, Outcome},
    system::{clock, named_file, stdin, terminal},
};

/// As much as is read of a provider, in bytes.
const LONGEST: usize = 1024 * 1024;

pub(super) fn run(context: &Context, args: &cli::Diagnose) -> Result<Outcome, Failure> {
    let (bytes, place) = match &args.file {
        Some(path) => (named_file::read(path, LONGEST)?, path.display().to_string()),
        None => {
            if terminal::stdin_is_terminal() {
                context.talk.say(&Event::Step("paste the token response, then press Ctrl-D"));
            }
            (stdin::read(LONGEST, SAVED_RESPONSE, |_| false)?, "standard input".to_owned())
        }
    };
    let SavedResponse { response, status } = SavedResponse::parse(&bytes).map_err(|why| {
        Failure::new(Code::Usage, format!("{place} {why}"))
            .remedy("save the response of the token endpoint: curl -i ... > response.txt")
    })?;
    let diagnosis = Diagnosis::of(&response, &WireDialect::default(), clock::now());
    Ok(Outcome::Diagnosed(Diagnosed { diagnosis, status }))
}
