//! `loopin logout`: revoked at the provider where it offers that (RFC 7009), then forgotten here, whatever it answers.

use super::context::{Context, grant};
use crate::{
    cli,
    grants::{Revocation, RevocationScope},
    report::{Event, Failure, Outcome},
};

pub fn run(context: &Context, args: &cli::Logout) -> Result<Outcome, Failure> {
    let grants = context.grants()?;
    let integration = grants.integration(Some(&args.integration))?;
    let scope = if args.local { RevocationScope::Local } else { RevocationScope::Provider };
    let logged_out = grants.logout(&grant(&integration.name, &args.grant)?, scope)?;
    if let Revocation::Unconfirmed(why) = &logged_out.revocation {
        context.talk.say(&Event::Revocation(why));
    }
    Ok(Outcome::LoggedOut(logged_out))
}
