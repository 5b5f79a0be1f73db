//! `loopin integration set`: fields change in their place, and what hangs on them follows: the key of the file store, the
//! client secret.

use super::{Context, of_the_configuration, secret, stated};
use crate::{
    catalog::{self, Catalog, Fields, Integration, IntegrationName, SecretSource, StoreKind},
    cli,
    grants::{Grants, Place, Settings, directory_of},
    report::{Event, Failure, Outcome, command, configured_command},
    system::{
        config_file, entropy,
        file_store::{FileStore, SealedWith},
        private_files::PrivateFiles,
        terminal,
    },
    vault::{ItemName, Items, StoreError},
};

pub(super) fn run(context: &Context, args: &cli::Set) -> Result<Outcome, Failure> {
    // The configuration counts here, and not what overrides it at other commands.
    let settings = Settings { store: None, ..context.settings.clone() };
    let (path, text) = settings.config_text()?;
    let before = settings.catalog()?.get(&args.name)?.clone();
    let files = settings.files()?;
    let mut fields = Fields { store: context.settings.store, ..stated(&args.fields) };
    if fields.store == Some(StoreKind::File)
        && before.store_key.is_none()
        && !keeps_passphrase(&settings, &before.name)?
    {
        fields.store_key = Some(context.new_store_key()?);
    }
    let changed = catalog::set(&text, &args.name, &fields, &args.unset)?;
    let after = Catalog::parse(&changed)?.beside(&directory_of(&path)?).get(&args.name)?.clone();
    let new_secret = args.fields.secret_stdin.then(secret::read).transpose()?;
    if let (StoreKind::File, Some(key), Some(_)) = (after.store, &after.store_key, fields.store) {
        config_file::make_key(key, &entropy::random::<32>()?)?;
    }
    let [old, new] = [&before, &after].map(|it| settings.items_of(it.store, it.store_key.as_deref(), &files));
    if let Some(secret) = &new_secret {
        secret::store(new.as_ref(), &after.name, secret)?;
    }
    let (was_stored, is_stored) = (in_store(&before), in_store(&after));
    if was_stored && is_stored && new_secret.is_none() && before.store != after.store {
        move_secret(context, old.as_ref(), new.as_ref(), &after.name)?;
    }
    config_file::replace(&path, &changed).map_err(of_the_configuration)?;
    if was_stored && (!is_stored || before.store != after.store) {
        forget_secret(context, old.as_ref(), &after.name);
    }
    left_behind(context, &settings, &after)?;
    let next = logged_in(&settings, &after)?.is_none().then(|| configured_command(["login", after.name.as_str()]));
    Ok(Outcome::Changed { name: args.name.clone(), config: path.display().to_string(), next })
}

fn in_store(integration: &Integration) -> bool {
    matches!(integration.client_secret, Some(SecretSource::Store))
}

/// Logins under a passphrase could not be opened with a key file. Where nobody can type it, they could not be opened anyway.
fn keeps_passphrase(settings: &Settings, integration: &IntegrationName) -> Result<bool, Failure> {
    if !terminal::stdin_is_terminal() {
        return Ok(false);
    }
    let files: PrivateFiles = settings.files()?;
    let logins = Grants::open(settings.clone())?.logins(Some(integration.as_str()))?;
    let logins = logins.iter().filter(|login| login.place == Place::Here(StoreKind::File));
    for item in logins.map(|login| login.grant.key().item()).chain([ItemName::of_client_secret(integration)]) {
        if FileStore::sealed_with(&files, &item)? == Some(SealedWith::Passphrase) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The tokens stay where they are; the secret moves, because a login needs it.
fn move_secret(context: &Context, old: &dyn Items, new: &dyn Items, name: &IntegrationName) -> Result<(), Failure> {
    match old.read(&ItemName::of_client_secret(name)) {
        Ok(Some(secret)) => secret::store(new, name, &secret),
        Ok(None) | Err(_) => {
            let set = configured_command(["integration", "set", name.as_str(), "--secret-stdin"]);
            let text = format!("note: the client secret is not in this store; pass it on standard input: {set}");
            context.talk.say(&Event::Step(&text));
            Ok(())
        }
    }
}

fn forget_secret(context: &Context, old: &dyn Items, name: &IntegrationName) {
    match old.delete(&ItemName::of_client_secret(name)) {
        // A keychain that is not there was said before, and is the reason for the change.
        Ok(_) | Err(StoreError::Absent) => {}
        Err(why) => context.talk.say(&Event::Step(&format!("note: the client secret was not removed: {why}"))),
    }
}

/// Logins in the store of before are found there only.
fn left_behind(context: &Context, settings: &Settings, after: &Integration) -> Result<(), Failure> {
    let other = match after.store {
        StoreKind::File => StoreKind::Keychain,
        StoreKind::Keychain => StoreKind::File,
    };
    let logins = Grants::open(settings.clone())?.logins(Some(after.name.as_str()))?;
    let left = logins.iter().filter(|login| login.place == Place::Here(other)).count();
    if left > 0 {
        let logout = command(["logout", after.name.as_str(), "--all", "--store", other.as_str()]);
        let text = format!("note: {left} logins stay in the other store; to end them: {logout}");
        context.talk.say(&Event::Step(&text));
    }
    Ok(())
}

/// The place of a login that the changed integration finds.
fn logged_in(settings: &Settings, after: &Integration) -> Result<Option<Place>, Failure> {
    let logins = Grants::open(settings.clone())?.logins(Some(after.name.as_str()))?;
    Ok(logins.iter().map(|login| login.place).find(|place| *place == Place::Here(after.store)))
}
