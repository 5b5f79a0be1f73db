//! `loopin status`: what is stored, where, until when, and which command repairs it.

use super::{
    context::{Context, login_command},
    hand_out::fits,
    renew,
};
use crate::{
    catalog::{Catalog, Integration, IntegrationName, own_redirect},
    cli,
    refresh::{LastRefresh, RefreshResult},
    report::{Asked, Failure, GrantState, GrantStatus, Outcome, Renewal, SharedRedirects},
    system::{clock, private_files::PrivateFiles},
    vault::{self, AccountName, ActionKey, GrantKey, IndexEntry, Record, StoreError, Vault},
};

pub fn run(context: &Context, args: &cli::Status) -> Result<Outcome, Failure> {
    let catalog = context.catalog()?;
    let files = context.files()?;
    let asked = if args.integration.is_some() { Asked::One } else { Asked::All };
    let only = args.integration.as_deref().map(|name| catalog.get(name)).transpose()?.map(|i| i.name.clone());
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only.as_str() == name);
    let (mut grants, mut closed) = (Vec::new(), None);
    for entry in vault::entries(&files)?.iter().filter(|e| wanted(&e.integration)) {
        grants.extend(of_entry(context, &catalog, &files, entry, &mut closed));
    }
    for integration in catalog.iter().filter(|i| wanted(i.name.as_str())) {
        if !grants.iter().any(|g| g.integration == integration.name.as_str()) {
            let key = GrantKey::personal(integration.name.clone(), AccountName::default(), ActionKey::All);
            let store = context.store_kind(integration).as_str();
            grants.push(status(&key, store, GrantState::None, Some(login_command(&key))));
        }
    }
    let shared = catalog.iter().filter(|i| wanted(i.name.as_str())).filter_map(|i| shared(&catalog, i)).collect();
    Ok(Outcome::Status { grants, shared, asked })
}

fn shared(catalog: &Catalog, integration: &Integration) -> Option<SharedRedirects> {
    let with: Vec<_> = catalog.sharing(integration).into_iter().map(IntegrationName::to_string).collect();
    let own = own_redirect(&integration.name);
    (!with.is_empty()).then(|| SharedRedirects { integration: integration.name.to_string(), with, own })
}

/// `closed`: a store that did not open for one grant, and why; it is not asked for the next one.
fn of_entry(
    context: &Context,
    catalog: &Catalog,
    files: &PrivateFiles,
    entry: &IndexEntry,
    closed: &mut Option<(&'static str, StoreError)>,
) -> Option<GrantStatus> {
    let key = GrantKey::personal(
        IntegrationName::parse(&entry.integration).ok()?,
        AccountName::parse(&entry.account).ok()?,
        ActionKey::parse(&entry.action).ok()?,
    );
    let Ok(integration) = catalog.get(&entry.integration) else {
        let state = GrantState::Unknown("stored, but not in the configuration any more".into());
        return Some(status(&key, &entry.store, state, Some(format!("loopin integration add {}", entry.integration))));
    };
    let items = context.items(integration, files);
    if items.kind() != entry.store || items.identity() != entry.store_identity {
        let state = GrantState::Unknown("in another store than the configuration names now".into());
        return Some(status(&key, &entry.store, state, Some(login_command(&key))));
    }
    let vault = Vault { items: items.as_ref(), files };
    let found = match closed {
        Some((kind, why)) if *kind == items.kind() => Err(why.clone()),
        _ => vault.read(&key),
    };
    if let Err(why) = &found
        && why.is_of_the_whole_store()
    {
        *closed = Some((items.kind(), why.clone()));
    }
    let (state, repair) = state(integration, &key, found, renew::last(files, &vault, &key));
    Some(status(&key, &entry.store, state, repair))
}

fn state(
    integration: &Integration,
    key: &GrantKey,
    found: Result<Option<Record>, StoreError>,
    last: Option<LastRefresh>,
) -> (GrantState, Option<String>) {
    match found {
        Err(why) => {
            let failure = Failure::from(why);
            (GrantState::Unknown(failure.what), failure.remedy)
        }
        Ok(None) => (GrantState::Gone, Some(login_command(key))),
        Ok(Some(record)) if !fits(integration, &record) => (GrantState::Outdated, Some(login_command(key))),
        Ok(Some(record)) => {
            let grant = record.grant;
            let last = last.filter(|last| last.at() >= grant.obtained_at);
            let renewal = Renewal::of(&grant);
            let repair = match (last.as_ref().map(|last| &last.result), renewal) {
                (Some(RefreshResult::Dead { .. }), _) => Some(login_command(key)),
                (Some(RefreshResult::Ambiguous { .. } | RefreshResult::Misconfigured { .. }), _) => {
                    Some(format!("loopin integration show {}", integration.name))
                }
                (_, renewal) if renewal.is_over(clock::now()) && grant.expiry.is_past(clock::now()) => {
                    Some(login_command(key))
                }
                _ => None,
            };
            let (expiry, granted, obtained_at) = (grant.expiry, grant.granted, grant.obtained_at);
            (GrantState::Stored { expiry, renewal, granted, obtained_at, last }, repair)
        }
    }
}

fn status(key: &GrantKey, store: &str, state: GrantState, repair: Option<String>) -> GrantStatus {
    GrantStatus {
        integration: key.integration.to_string(),
        account: key.owner.user.as_str().to_owned(),
        action: key.action.as_str().to_owned(),
        store: store.to_owned(),
        state,
        repair,
    }
}
