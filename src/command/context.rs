//! What every verb needs: the arguments for all of them, and a way to talk.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    catalog::{Catalog, IntegrationName, StoreKind},
    cli,
    grants::{self, Error, GrantId, Grants, Hear, LastPage, Prompts, Settings},
    report::{self, Code, Failure, Form, Talk, Typed, Verbosity, missing_file},
    system::{
        config_file,
        detach::Worker,
        trusted_file::{self, Content, MISSING},
    },
    vault::{AccountName, ActionKey, StoreError},
};

pub struct Context {
    pub form: Form,
    pub talk: Talk,
    pub settings: Settings,
}

impl Context {
    pub fn new(global: &cli::Global) -> Self {
        let talk = Talk::new(if global.verbose { Verbosity::More } else { Verbosity::Usual });
        let settings = Settings {
            config: global.config.clone(),
            store: global.store.map(|store| match store {
                cli::Store::File => StoreKind::File,
                cli::Store::Keychain => StoreKind::Keychain,
            }),
            prompts: Prompts::Allowed,
            worker: Worker::ThisProgram,
            hear: Arc::new(|_| ()),
            describe: report::describe,
            last_page: LastPage::default(),
        };
        Self { form: if global.json { Form::Json } else { Form::Text }, talk, settings }
    }

    /// Reports every step.
    pub fn narrating(self) -> Self {
        Self { talk: self.talk.at(Verbosity::More), ..self }
    }

    /// For another program, which reads standard output in a form of its own and cannot answer.
    pub fn for_a_program(self) -> Self {
        Self { form: Form::Text, ..self.without_prompts() }
    }

    pub fn without_prompts(self) -> Self {
        Self { settings: Settings { prompts: Prompts::Never, ..self.settings }, ..self }
    }

    /// The grants that the configuration names; the user hears what happens to them.
    pub fn grants(&self) -> Result<Grants, Failure> {
        let talk = self.talk.clone();
        self.grants_heard_by(Arc::new(move |event| talk.hear(event)))
    }

    pub fn grants_heard_by(&self, hear: Arc<Hear>) -> Result<Grants, Failure> {
        Ok(Grants::open(Settings { hear, ..self.settings.clone() })?)
    }

    pub fn catalog(&self) -> Result<Catalog, Failure> {
        Ok(self.settings.catalog()?)
    }

    /// The command line that is running, for the commands in its messages.
    pub fn typed(&self, arguments: &[OsString]) -> Typed {
        Typed {
            arguments: arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect(),
            config: self.settings.config.as_ref().map(|path| path.display().to_string()),
            store: self.settings.store.map(StoreKind::as_str),
        }
    }

    /// The global arguments, for a command that is to read the same configuration and store.
    pub fn global_arguments(&self) -> Vec<String> {
        let config = self.settings.config.as_ref().map(|path| {
            ["--config".to_owned(), std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()]
        });
        let store = self.settings.store.map(|store| ["--store".to_owned(), store.as_str().to_owned()]);
        config.into_iter().chain(store).flatten().collect()
    }

    /// What `--config` names.
    pub fn named_config(&self) -> Option<&Path> {
        self.settings.config.as_deref()
    }

    /// Where the key of the file store is made: beside the configuration, whatever directory a later command runs in.
    pub fn new_store_key(&self) -> Result<PathBuf, Failure> {
        Ok(grants::directory_of(&self.settings.config_path()?)?.join(grants::KEY_FILE))
    }
}

/// Which grant the arguments name.
pub fn grant(integration: &IntegrationName, name: &cli::GrantName) -> Result<GrantId, Failure> {
    let account = name.account.as_deref().map(AccountName::parse).transpose()?.unwrap_or_default();
    let action = name.action.as_deref().map(ActionKey::parse).transpose()?.unwrap_or_default();
    Ok(GrantId { integration: integration.clone(), account, action })
}

/// A private file, or how to make the one that is missing: `make` prints what is to be in it.
///
/// # Errors
/// Missing, unreadable, or open to others.
pub fn private_file(path: &Path, make: &str) -> Result<Vec<u8>, Failure> {
    trusted_file::read(path, Content::Secret).map_err(|error| {
        let remedy = missing_file(&error, make);
        let failure = Failure::from(error);
        Failure { remedy: remedy.or(failure.remedy), ..failure }
    })
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

/// What is wrong with a file that holds or names the configuration is wrong with the configuration.
pub fn of_the_configuration(error: StoreError) -> Failure {
    Error::ConfigurationFile(error).into()
}
