//! `loopin logout`: revoked at the provider where it offers that (RFC 7009), then forgotten here, whatever it answers.

use super::{
    context::{Context, grant_key},
    login::shared::LAST_LOGIN,
};
use crate::{
    catalog::Integration,
    cli,
    deadlines::LOCK_WAITS,
    oauth::{Extent, revoke_grant},
    refresh::LastRefresh,
    report::{Event, Failure, LoggedOut, Outcome, Revocation},
    system::{http::Http, lock},
    vault::{Record, StateFiles, Vault},
};

pub fn run(context: &Context, args: &cli::Logout) -> Result<Outcome, Failure> {
    let integration = context.integration(Some(&args.integration))?;
    let key = grant_key(&integration.name, &args.grant)?;
    let files = context.files()?;
    let items = context.items(&integration, &files);
    let vault = Vault { items: items.as_ref(), files: &files };
    let _held = lock::hold(&files, &vault.state_name(&key).file(".lock"), LOCK_WAITS)?;
    let revocation = match vault.read(&key) {
        Ok(None) => Revocation::NothingToRevoke,
        Ok(Some(_)) if args.local => Revocation::NotWanted,
        Ok(Some(record)) => revocation(context, &integration, &vault, &record),
        // Damaged or from elsewhere: there is nothing to show the provider, but it can still be forgotten.
        Err(crate::vault::StoreError::Damaged { .. }) => Revocation::Unconfirmed("the stored grant is damaged".into()),
        Err(why) => return Err(why.into()),
    };
    vault.delete(&key)?;
    files.remove(&vault.state_name(&key).file(LastRefresh::SUFFIX))?;
    files.remove(&vault.state_name(&key).file(LAST_LOGIN))?;
    if let Revocation::Unconfirmed(why) = &revocation {
        context.talk.say(&Event::Revocation(why));
    }
    Ok(Outcome::LoggedOut(LoggedOut {
        integration: integration.name.to_string(),
        account: key.owner.user.as_str().to_owned(),
        action: key.action.as_str().to_owned(),
        revocation,
    }))
}

fn revocation(context: &Context, integration: &Integration, vault: &Vault<'_>, record: &Record) -> Revocation {
    let Some(endpoint) = &record.pinned.revocation_endpoint else { return Revocation::NotOffered };
    let client = match context.client(integration, vault) {
        Ok(client) => client.authenticated_by(integration.authentication_pinned(record.pinned.authentication_method)),
        Err(failure) => return Revocation::Unconfirmed(failure.what),
    };
    match revoke_grant(endpoint, &client, record.grant.tokens(), Extent::Every, &Http::default()) {
        Ok(()) => Revocation::Revoked,
        Err(why) => Revocation::Unconfirmed(why.to_string()),
    }
}
