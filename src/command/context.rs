//! What every verb needs: the configuration, the store, a way to talk.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use crate::{
    catalog::{Catalog, Integration, IntegrationName, SecretSource, StoreKind},
    cli::{self, GrantName},
    oauth::{Client, ClientAuthentication},
    report::{Code, Failure, Form, Hear, Talk, Verbosity},
    secret::Secret,
    system::{
        client_secret::{self, NoSecret},
        config_file,
        detach::Worker,
        file_store::{FileStore, StoreKey},
        keychain::Keychain,
        paths,
        private_files::PrivateFiles,
        trusted_file::{self, Content, MISSING},
    },
    vault::{AccountName, ActionKey, GrantKey, ItemName, Items, StoreError, Vault},
};

/// Whether a person may be asked for what only a person knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prompts {
    Allowed,
    Never,
}

pub struct Context {
    pub form: Form,
    pub talk: Talk,
    config: Option<PathBuf>,
    store: Option<StoreKind>,
    prompts: Prompts,
    worker: Worker,
    lingering: Cell<Option<JoinHandle<()>>>,
}

impl Context {
    pub fn new(global: &cli::Global) -> Self {
        Self {
            form: if global.json { Form::Json } else { Form::Text },
            talk: Talk::new(if global.verbose { Verbosity::More } else { Verbosity::Usual }),
            config: global.config.clone(),
            store: global.store.map(|store| match store {
                cli::Store::File => StoreKind::File,
                cli::Store::Keychain => StoreKind::Keychain,
            }),
            prompts: Prompts::Allowed,
            worker: Worker::ThisProgram,
            lingering: Cell::new(None),
        }
    }

    /// For a program that links the crate.
    pub fn embedded(config: Option<PathBuf>, worker: Worker, hear: Arc<Hear>) -> Self {
        let (prompts, lingering) = (Prompts::Never, Cell::new(None));
        Self { form: Form::Json, talk: Talk::to(hear), config, store: None, prompts, worker, lingering }
    }

    /// Says every step.
    pub fn narrating(self) -> Self {
        Self { talk: self.talk.at(Verbosity::More), ..self }
    }

    /// For another program, which reads standard output in a form of its own and cannot answer.
    pub fn for_a_program(self) -> Self {
        Self { form: Form::Text, prompts: Prompts::Never, ..self }
    }

    /// What was said on the command line, for a command that is to read the same configuration and store.
    pub fn global_arguments(&self) -> Vec<String> {
        let config = self.config.as_ref().map(|path| {
            ["--config".to_owned(), std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()]
        });
        let store = self.store.map(|store| ["--store".to_owned(), store.as_str().to_owned()]);
        config.into_iter().chain(store).flatten().collect()
    }

    /// The same for one request of a program, which hears what a person would read.
    pub fn heard_by(&self, hear: Arc<Hear>) -> Self {
        Self { store: self.store, ..Self::embedded(self.config.clone(), self.worker.clone(), hear) }
    }

    /// Who sends the refresh request.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// A listener that still has a last page to send; it is waited for when everything has been printed.
    pub fn linger(&self, listener: JoinHandle<()>) {
        self.lingering.set(Some(listener));
    }

    pub fn wait_for_last_page(&self) {
        if let Some(listener) = self.lingering.take() {
            let _ = listener.join();
        }
    }

    /// What `--config` says.
    pub fn named_config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub fn config_path(&self) -> Result<PathBuf, Failure> {
        match &self.config {
            Some(path) => Ok(path.clone()),
            None => Ok(paths::config()?),
        }
    }

    /// Where the key of the file store is made: beside the configuration, whatever directory a later command runs in.
    pub fn new_store_key(&self) -> Result<PathBuf, Failure> {
        Ok(directory_of(&self.config_path()?)?.join("store.key"))
    }

    pub fn config_text(&self) -> Result<(PathBuf, String), Failure> {
        let path = self.config_path()?;
        // Without a file there is no integration yet.
        let text = config_file::read(&path).map_err(of_the_configuration)?.unwrap_or_default();
        Ok((path, text))
    }

    pub fn catalog(&self) -> Result<Catalog, Failure> {
        let (path, text) = self.config_text()?;
        let catalog = Catalog::parse(&text).map_err(|error| {
            let failure = Failure::from(error);
            Failure { what: format!("{}: {}", path.display(), failure.what), ..failure }
        })?;
        Ok(catalog.beside(&directory_of(&path)?))
    }

    /// The integration that was named, or the only one.
    pub fn integration(&self, name: Option<&str>) -> Result<Integration, Failure> {
        chosen(&self.catalog()?, name).cloned()
    }

    pub fn store_kind(&self, integration: &Integration) -> StoreKind {
        self.store.unwrap_or(integration.store)
    }

    pub fn store_override(&self) -> Option<StoreKind> {
        self.store
    }

    pub fn files(&self) -> Result<PrivateFiles, Failure> {
        Ok(PrivateFiles::at(paths::state()?))
    }

    /// Opens nothing yet.
    pub fn items<'a>(&self, integration: &Integration, files: &'a PrivateFiles) -> Box<dyn Items + 'a> {
        match self.store_kind(integration) {
            StoreKind::Keychain => Box::new(Keychain::default()),
            StoreKind::File => {
                let key = match (&integration.store_key, self.prompts) {
                    (Some(path), _) => StoreKey::File(path.clone()),
                    (None, Prompts::Allowed) => StoreKey::Passphrase,
                    (None, Prompts::Never) => StoreKey::PassphraseUnasked,
                };
                Box::new(FileStore::new(files, key))
            }
        }
    }

    /// The client with its secret, wherever that is.
    pub fn client(&self, integration: &Integration, vault: &Vault<'_>) -> Result<Client, Failure> {
        let authentication = match &integration.client_secret {
            None => ClientAuthentication::None,
            Some(source) => ClientAuthentication::Secret {
                secret: client_secret(integration, source, vault)?,
                method: integration.authentication_method,
            },
        };
        Ok(Client::new(integration.client_id.clone(), authentication).speaking(integration.dialect.wire.clone()))
    }
}

fn client_secret(integration: &Integration, source: &SecretSource, vault: &Vault<'_>) -> Result<Secret, Failure> {
    if let Some(secret) = secret_outside_the_store(integration, source)? {
        return Ok(secret);
    }
    vault.items.read(&ItemName::of_client_secret(&integration.name))?.ok_or_else(|| {
        let name = &integration.name;
        Failure::new(Code::Configuration, format!("the client secret of {name} is not in the store"))
            .remedy(format!("loopin integration remove {name}, then add it again with --secret-stdin"))
    })
}

/// A client secret in a file or a variable; `None` if it is in the store.
///
/// # Errors
/// It is not there, or others may read it.
pub fn secret_outside_the_store(integration: &Integration, source: &SecretSource) -> Result<Option<Secret>, Failure> {
    let missing = |place: String| {
        Failure::new(Code::Configuration, format!("the client secret of {} is not {place}", integration.name))
    };
    client_secret::outside_the_store(source).map_err(|why| match why {
        NoSecret::File(error) => {
            let SecretSource::File(path) = source else { return error.into() };
            private(path, "cat", error)
        }
        NoSecret::NotText(path) => missing(format!("text in {}", path.display())),
        NoSecret::Variable(name) => missing(format!("in the variable {name}")).remedy(format!("set {name}")),
    })
}

/// A private file, or how to make the one that is missing: `make` prints what is to be in it.
///
/// # Errors
/// Missing, unreadable, or open to others.
pub fn private_file(path: &Path, make: &str) -> Result<Vec<u8>, Failure> {
    trusted_file::read(path, Content::Secret).map_err(|error| private(path, make, error))
}

fn private(path: &Path, make: &str, error: StoreError) -> Failure {
    match &error {
        StoreError::File { why, .. } if why == MISSING => {
            Failure::from(error).remedy(format!("(umask 077; {make} > '{}')", path.display()))
        }
        _ => error.into(),
    }
}

/// The text of a configuration that `--config` names; `document` is where a complete one stands.
pub fn named_text(path: &Path, document: &str) -> Result<String, Failure> {
    let text = config_file::read(path).map_err(|error| looked_at(path, of_the_configuration(error)))?;
    text.ok_or_else(|| {
        Failure::new(Code::Configuration, format!("{}: {MISSING}", path.display()))
            .remedy(format!("begin with the one in {document}"))
    })
}

/// A file that cannot be read for a reason that no command repairs: the user should look at it.
pub fn looked_at(path: &Path, failure: Failure) -> Failure {
    match failure.remedy {
        Some(_) => failure,
        None => failure.remedy(format!("check what it is: file '{}'", path.display())),
    }
}

/// The integration that was named, or the only one.
///
/// # Errors
/// There is none of that name, none at all, or more than one to choose from.
pub fn chosen<'c>(catalog: &'c Catalog, name: Option<&str>) -> Result<&'c Integration, Failure> {
    if let Some(name) = name {
        return Ok(catalog.get(name)?);
    }
    let mut all = catalog.iter();
    match (all.len(), all.next()) {
        (1, Some(only)) => Ok(only),
        (0, _) => {
            Err(Failure::new(Code::Configuration, "there is no integration yet").remedy("loopin integration add NAME"))
        }
        _ => {
            Err(Failure::new(Code::Usage, "there is more than one integration; name one")
                .remedy("loopin integration list"))
        }
    }
}

/// What is wrong with a file that holds or names the configuration is wrong with the configuration.
pub fn of_the_configuration(error: StoreError) -> Failure {
    Failure { code: Code::Configuration, ..error.into() }
}

/// Where relative paths in a configuration file begin: beside it, whatever directory a command runs in.
///
/// # Errors
/// The path is relative, and the working directory is gone.
pub fn directory_of(config: &Path) -> Result<PathBuf, Failure> {
    let whole = std::path::absolute(config)
        .map_err(|e| Failure::new(Code::Configuration, format!("{}: {}", config.display(), e.kind())))?;
    Ok(whole.parent().map_or_else(PathBuf::new, Path::to_owned))
}

/// Which grant the arguments name.
pub fn grant_key(integration: &IntegrationName, name: &GrantName) -> Result<GrantKey, Failure> {
    let account = name.account.as_deref().map(AccountName::parse).transpose()?.unwrap_or_default();
    let action = name.action.as_deref().map(ActionKey::parse).transpose()?.unwrap_or_default();
    Ok(GrantKey::personal(integration.clone(), account, action))
}

/// The command that brings this grant back.
pub fn login_command(key: &GrantKey) -> String {
    let mut command = format!("loopin login {}", key.integration);
    if key.owner.user != AccountName::default() {
        command += &format!(" --account '{}'", key.owner.user.as_str().replace('\'', "'\\''"));
    }
    if let Some(action) = key.action.name() {
        command += &format!(" --action {action}");
    }
    command
}
