//! `loopin logout`: revoked at the provider where it offers that (RFC 7009), then forgotten here, whatever it answers.

use super::context::{Context, grant};
use crate::{
    catalog::IntegrationName,
    cli,
    grants::{Grants, LoggedOut, Login, Place, Revocation, RevocationScope},
    report::{Code, Event, Failure, Left, LeftIn, Logout, Outcome, Which},
};

pub fn run(context: &Context, args: &cli::Logout) -> Result<Outcome, Failure> {
    let grants = context.grants()?;
    let scope = if args.local { RevocationScope::Local } else { RevocationScope::Provider };
    let name = args.integration.as_deref();
    let logins = grants.logins(name)?;
    if let (Some(name), true) = (name, logins.is_empty()) {
        grants.integration(Some(name))?;
    }
    let (ended, asked) = match (args.all, name) {
        (true, _) => (all(context, &grants, &logins, scope)?, Which::All),
        (false, Some(name)) => (one(&grants, name, args, &logins, scope)?, Which::One),
        (false, None) => {
            return Err(Failure::new(Code::Usage, "no integration is named").remedy("loopin logout NAME, or --all"));
        }
    };
    for out in &ended {
        if let Revocation::Unconfirmed(why) = &out.revocation {
            context.talk.say(&Event::Revocation(why));
        }
    }
    let left = grants.logins(name)?.into_iter().map(|login| left(&grants, login)).collect();
    Ok(Outcome::Logout(Logout { ended, left, asked }))
}

fn one(
    grants: &Grants,
    name: &str,
    args: &cli::Logout,
    logins: &[Login],
    scope: RevocationScope,
) -> Result<Vec<LoggedOut>, Failure> {
    let grant = grant(&IntegrationName::parse(name)?, &args.grant)?;
    let configured = grants.catalog().get(name).is_ok();
    let mut ended = Vec::new();
    for login in logins.iter().filter(|login| login.grant == grant) {
        match login.place {
            Place::Elsewhere if scope == RevocationScope::Provider => {}
            // `Grants::logout` looks where the configuration says.
            Place::Here(_) if configured => {}
            Place::Elsewhere | Place::Here(_) => ended.push(grants.end_login(login, scope)?),
        }
    }
    let here = logins.iter().any(|login| login.grant == grant && login.place != Place::Elsewhere);
    if configured && (here || ended.is_empty()) {
        ended.insert(0, grants.logout(&grant, scope)?);
    }
    if ended.is_empty() {
        ended.push(LoggedOut { grant, revocation: Revocation::NothingToRevoke });
    }
    Ok(ended)
}

/// Each that can be reached. One that fails keeps no other from being ended.
fn all(
    context: &Context,
    grants: &Grants,
    logins: &[Login],
    scope: RevocationScope,
) -> Result<Vec<LoggedOut>, Failure> {
    let wanted = |login: &&Login| match (login.place, context.settings.store) {
        (Place::Elsewhere, None) => scope == RevocationScope::Local,
        (Place::Here(_), None) => true,
        (place, Some(kind)) => place == Place::Here(kind),
    };
    let (mut ended, mut failed) = (Vec::new(), None);
    for login in logins.iter().filter(wanted) {
        match grants.end_login(login, scope) {
            Ok(out) => ended.push(out),
            Err(why) => failed = failed.or(Some(Failure::from(why))),
        }
    }
    match failed {
        None => Ok(ended),
        Some(failure) => {
            for out in &ended {
                let text = format!("logged out of {} ({})", out.grant.integration, out.grant.within());
                context.talk.say(&Event::Step(&text));
            }
            Err(failure)
        }
    }
}

fn left(grants: &Grants, login: Login) -> Left {
    let place = match login.place {
        Place::Elsewhere => LeftIn::Elsewhere,
        Place::Here(kind) => match grants.store_used(&login.grant.integration) {
            Some(used) if used != kind => LeftIn::Other(kind),
            _ => LeftIn::Usual,
        },
    };
    Left { grant: login.grant, place }
}
