//! What a [`Grants`](super::Grants) value is opened with: which configuration and store, who refreshes, who hears.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Error, Hear, LastPage, ReportedError};
use crate::{
    catalog::{Catalog, Integration, StoreKind},
    system::{
        config_file,
        detach::Worker,
        environment::{self, LOOPIN_STORE},
        file_store::{FileStore, StoreKey},
        keychain::Keychain,
        paths,
        private_files::PrivateFiles,
    },
    vault::Items,
};

/// Whether the user may be asked for a passphrase, on the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prompts {
    Allowed,
    #[default]
    Never,
}

/// Which configuration and store, and what the engine leaves to its caller.
#[derive(Clone)]
pub struct Settings {
    /// The configuration file; `None` for `LOOPIN_CONFIG` or the one in the platform's place.
    pub config: Option<PathBuf>,
    /// The store, whatever the configuration says.
    pub store: Option<StoreKind>,
    /// Whether the passphrase of a file store may be asked for on the terminal.
    pub prompts: Prompts,
    /// Who sends the request of a refresh.
    pub worker: Worker,
    /// What the caller does with an event.
    pub hear: Arc<Hear>,
    /// How an error is reported to another process: in words, because the other one may be of another release.
    pub describe: fn(&Error) -> ReportedError,
    /// Of the login that these settings are used for.
    pub last_page: LastPage,
}

/// Who named the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NamedBy {
    /// `--config`, or the program that links the crate.
    Caller,
    /// `LOOPIN_CONFIG`
    Variable,
}

impl NamedBy {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Caller => "",
            Self::Variable => ", which LOOPIN_CONFIG names",
        }
    }
}

impl Default for Settings {
    /// For a program that links the crate: events are ignored, nothing is asked on the terminal, and a thread refreshes.
    fn default() -> Self {
        Self {
            config: None,
            store: None,
            prompts: Prompts::Never,
            worker: Worker::Thread,
            hear: Arc::new(|_| ()),
            describe: ReportedError::plain,
            last_page: LastPage::default(),
        }
    }
}

impl Settings {
    /// With the store that `LOOPIN_STORE` names, unless the caller names one.
    ///
    /// # Errors
    /// The variable names none.
    pub fn with_environment(mut self) -> Result<Self, Error> {
        if let (None, Some(name)) = (self.store, environment::text(LOOPIN_STORE)) {
            let kind = [StoreKind::File, StoreKind::Keychain].into_iter().find(|kind| kind.as_str() == name);
            self.store = Some(kind.ok_or_else(|| Error::StoreVariable(name.escape_debug().take(80).collect()))?);
        }
        Ok(self)
    }

    /// # Errors
    /// No file is named, and there is no home directory.
    pub fn config_path(&self) -> Result<PathBuf, Error> {
        match &self.config {
            Some(path) => Ok(path.clone()),
            None => Ok(paths::config()?),
        }
    }

    /// The path of the configuration and its text. Without a file in the platform's place it is empty: there is no
    /// integration yet.
    ///
    /// # Errors
    /// The file cannot be read, or others may change it; or a file was named and does not exist.
    pub fn config_text(&self) -> Result<(PathBuf, String), Error> {
        let (path, text) = self.config_text_to_extend()?;
        match (text, self.config_named_by()) {
            (Some(text), _) => Ok((path, text)),
            (None, None) => Ok((path, String::new())),
            (None, Some(named_by)) => Err(Error::NoConfigurationFile { path, named_by }),
        }
    }

    /// The same for a change that makes the file if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or others may change it.
    pub fn config_text_to_extend(&self) -> Result<(PathBuf, Option<String>), Error> {
        let path = self.config_path()?;
        let text = config_file::read(&path).map_err(Error::ConfigurationFile)?;
        Ok((path, text))
    }

    fn config_named_by(&self) -> Option<NamedBy> {
        match self.config {
            Some(_) => Some(NamedBy::Caller),
            None => paths::config_variable().map(|_| NamedBy::Variable),
        }
    }

    /// # Errors
    /// As [`Settings::config_text`], or the configuration is not valid.
    pub fn catalog(&self) -> Result<Catalog, Error> {
        let (path, text) = self.config_text()?;
        match Catalog::parse(&text) {
            Ok(catalog) => Ok(catalog.beside(&directory_of(&path)?)),
            Err(error) => Err(Error::Configuration { path, error }),
        }
    }

    /// The state directory.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn files(&self) -> Result<PrivateFiles, Error> {
        Ok(PrivateFiles::at(paths::state()?))
    }

    pub fn store_kind(&self, integration: &Integration) -> StoreKind {
        self.store.unwrap_or(integration.store)
    }

    /// The store of an integration. Opens nothing yet.
    pub fn items<'a>(&self, integration: &Integration, files: &'a PrivateFiles) -> Box<dyn Items + 'a> {
        self.items_of(self.store_kind(integration), integration.store_key.as_deref(), files)
    }

    /// A store of this kind; `key` is the key file of a file store.
    pub fn items_of<'a>(&self, kind: StoreKind, key: Option<&Path>, files: &'a PrivateFiles) -> Box<dyn Items + 'a> {
        match kind {
            StoreKind::Keychain => Box::new(Keychain::default()),
            StoreKind::File => {
                let key = match (key, self.prompts) {
                    (Some(path), _) => StoreKey::File(path.to_owned()),
                    (None, Prompts::Allowed) => StoreKey::Passphrase,
                    (None, Prompts::Never) => StoreKey::PassphraseUnasked,
                };
                Box::new(FileStore::new(files, key))
            }
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, store, prompts, worker, .. } = self;
        let mut shown = f.debug_struct("Settings");
        shown.field("config", config).field("store", store).field("prompts", prompts).field("worker", worker);
        shown.finish_non_exhaustive()
    }
}

/// Where relative paths in a configuration file begin: beside it, whatever directory a command runs in.
///
/// # Errors
/// The path is relative, and the working directory is gone.
pub fn directory_of(config: &Path) -> Result<PathBuf, Error> {
    let whole =
        std::path::absolute(config).map_err(|error| Error::WorkingDirectory { path: config.to_owned(), error })?;
    Ok(whole.parent().map_or_else(PathBuf::new, Path::to_owned))
}
