//! Arguments of `loopin integration`. The doc comments here are its help.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

#[derive(Debug, Subcommand)]
pub enum Integration {
    Add(Box<Add>),
    Set(Box<Set>),
    /// List all integrations
    List,
    /// List the providers that loopin knows; for a single one, show how to register a client there
    Providers {
        /// Only providers whose name contains this
        query: Option<String>,
    },
    /// Show one integration
    Show {
        /// Which integration
        name: String,
    },
    /// Remove an integration from the configuration, and its client secret from the store
    Remove {
        /// Which integration
        name: String,
    },
    Diagnose(Diagnose),
    /// Compare an integration with the metadata that its provider publishes; exit code 3 if a login cannot work
    Verify {
        /// Which integration
        name: String,
    },
}

/// Show what loopin would take from a saved token response, and which lines of [integration.NAME] would let it take more
///
/// The response is a body in JSON or as a form, perhaps with the HTTP head before it, as curl -i prints it. Names of members
/// are shown, and never a value; nothing is stored. The exit code is that of a refresh which gets this response: 0 if loopin
/// can use it as it is, 3 if lines are missing, 4 if the user has to log in again, 7 if it is no token response.
#[derive(Args, Debug)]
pub struct Diagnose {
    /// The file with the response; without it standard input is read
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
}

/// Add an integration to the configuration; on a terminal it asks for what is missing
///
/// The same command again changes nothing. Where the name belongs to an integration with other fields, change single ones
/// with `loopin integration set NAME`, or write it anew with --replace.
#[derive(Args, Debug)]
pub struct Add {
    /// A name of your choice: a-z 0-9 . _ -
    pub name: String,
    #[command(flatten)]
    pub fields: Fields,
    /// Replace an integration of this name, with all of its fields; its logins stay
    #[arg(long)]
    pub replace: bool,
}

/// Change fields of an integration; the others, their order and comments stay as they are
///
/// `loopin integration set NAME --store file` keeps its tokens in encrypted files from now on, and makes a key file beside
/// the configuration.
#[derive(Args, Debug)]
pub struct Set {
    /// Which integration
    pub name: String,
    #[command(flatten)]
    pub fields: Fields,
    /// Remove this field, by its name in the configuration file, such as relay or actions.read (repeatable)
    #[arg(long = "unset", value_name = "FIELD")]
    pub unset: Vec<String>,
}

/// Fields of an integration.
#[derive(Args, Debug)]
pub struct Fields {
    /// A provider that loopin knows, such as gitlab; `loopin integration providers` lists them
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Where your instance of the provider is, such as https://git.acme.example
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Your tenant at the provider
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<String>,
    /// The provider's issuer; its endpoints are then discovered
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Where the browser is sent
    #[arg(long, value_name = "URL")]
    pub authorization_endpoint: Option<String>,
    /// Where the code is exchanged
    #[arg(long, value_name = "URL")]
    pub token_endpoint: Option<String>,
    /// Where tokens are revoked
    #[arg(long, value_name = "URL")]
    pub revocation_endpoint: Option<String>,
    /// The client identifier that the provider gave you
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Read the client secret from standard input and put it into the store; on a terminal it is asked for
    #[arg(long)]
    pub secret_stdin: bool,
    /// How the client secret is sent: client_secret_basic or client_secret_post
    #[arg(long, value_name = "METHOD")]
    pub token_endpoint_auth_method: Option<String>,
    /// As registered at the provider; several are tried in order [default of add: http://127.0.0.1:0/callback/NAME]
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<String>,
    /// Redirect URI of a relay whose route ends on this machine, for providers that accept https only
    #[arg(long, value_name = "URL")]
    pub relay: Option<String>,
    /// Accept a redirect URI that another provider's integration uses too, where the provider fixes its path
    #[arg(long)]
    pub shared_redirect: bool,
    /// Ask for this scope (repeatable); set replaces the whole list
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
}
