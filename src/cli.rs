//! What a person can type. The doc comments here are the help, the man page and the completions.

use std::{ffi::OsString, num::NonZeroU16, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

mod examples;
mod integration;
mod values;

pub use examples::command;
pub use integration::{Add, Diagnose, Fields, Integration, Set};
use values::{descriptor, duration, parameter, port, rejected, variable};

/// OAuth tokens for native applications: log in once, fresh access tokens for ever
#[derive(Debug, Parser)]
#[command(name = "loopin", version, propagate_version = true, arg_required_else_help = true, max_term_width = 100)]
#[command(
    after_help = "Try it without any set-up: loopin demo\nExit codes: 0 ok, 2 usage, 3 configuration, 4 login required, 5 denied, 6 time-out, \
                        7 unavailable, 8 store, 9 refused; all of them are in `loopin man`"
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

/// The heading of the options that every command has. They stand behind its own.
const GLOBAL: &str = "Global options";

#[derive(Args, Debug)]
pub struct Global {
    /// Print one JSON object instead of text, failures included; not what a helper answers its client
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,
    /// Keep tokens here, whatever the configuration says [default: LOOPIN_STORE, else the configuration]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "KIND")]
    pub store: Option<Store>,
    /// Read this configuration [default: LOOPIN_CONFIG, else config.toml at the platform's place]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say more on standard error
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// The keychain of the operating system
    Keychain,
    /// Encrypted files, under a key file or a passphrase
    File,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    Login(Login),
    Token(Token),
    Exec(Exec),
    /// Give tokens to git, kubectl and docker, each in its own protocol; `setup` prints the client's configuration
    #[command(subcommand)]
    Helper(Helper),
    Status(Status),
    Logout(Logout),
    /// Add, change, list, show and remove integrations; list the providers that loopin knows
    #[command(subcommand)]
    Integration(Integration),
    /// Judge redirect URIs
    #[command(subcommand)]
    Redirect(Redirect),
    /// Serve a program: JSON-RPC 2.0 on standard input and output, one message a line
    ///
    /// Every message is described by docs/stdio.schema.json. The first is initialize; the end of standard input ends it.
    Stdio,
    Doctor(Doctor),
    Demo(Demo),
    Relay(Relay),
    #[cfg(feature = "server")]
    Serve(Serve),
    Completions(Completions),
    /// Print the man page
    Man,
    /// Sends the one refresh request of a grant whose locked file is its standard input
    #[command(hide = true)]
    RefreshWorker(RefreshWorker),
}

/// Sign in with the browser and store the tokens
#[derive(Args, Debug)]
pub struct Login {
    /// Which integration; may be left out where there is exactly one
    pub integration: Option<String>,
    #[command(flatten)]
    pub grant: GrantName,
    /// Ask for this scope too (repeatable)
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// How the answer comes back
    #[arg(long, value_enum, default_value_t = How::Auto)]
    pub how: How,
    /// Open the URL with this command; %s stands for the URL [default: LOOPIN_BROWSER, BROWSER, the desktop's own]
    #[arg(long, value_name = "COMMAND")]
    pub browser: Option<String>,
    /// Listen on this port; the redirect must be registered with :0, or a relay's route must end there
    #[arg(long, value_name = "PORT", value_parser = port, allow_negative_numbers = true)]
    pub port: Option<NonZeroU16>,
    /// The registered redirect URI is a relay's, whose route ends on this machine
    #[arg(long, value_name = "URL")]
    pub relay: Option<String>,
    /// Wait this long for the person, such as 90s or 5m; needed where there is neither a terminal nor a browser [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub timeout: Option<Duration>,
    /// The prompt parameter of OpenID Connect: login, consent, select_account, none
    #[arg(long, value_name = "PROMPT")]
    pub prompt: Option<String>,
    /// Tell the provider who is signing in, such as a mail address
    #[arg(long, value_name = "HINT")]
    pub login_hint: Option<String>,
    /// Add a parameter to the authorization request (repeatable)
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
    /// Take over a refresh token of another program from standard input, without a browser
    ///
    /// It is used once, and stored only if the provider accepts it. The other program must not use it afterwards.
    #[arg(long, conflicts_with_all = ["browser", "login_hint", "parameters", "port", "prompt", "relay", "scopes"])]
    pub refresh_token_stdin: bool,
}

/// How a login gets its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum How {
    /// Open a browser where there is one; over SSH and where there is none, take the pasted address too
    Auto,
    /// Fail if no browser can be opened
    Browser,
    /// Show a code to enter on another device
    Device,
    /// Open none: sign in anywhere, and paste the address at which the browser ends
    Paste,
}

/// Which of an integration's grants.
#[derive(Args, Clone, Debug)]
pub struct GrantName {
    /// Which account, where one integration has several
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// One action of the integration instead of all together
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
}

/// Print a valid access token
///
/// Standard output carries the token and nothing else. Never opens a browser and never asks anything: when a person is
/// needed, the exit code is 4 and the message is the command to run.
#[derive(Args, Debug)]
pub struct Token {
    /// Which integration; may be left out where there is exactly one
    pub integration: Option<String>,
    #[command(flatten)]
    pub grant: GrantName,
    /// The token must stay valid for at least this long, such as 60s or 10m
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub min_ttl: Option<Duration>,
    /// A token with this SHA-256 (hexadecimal, 8 digits or more) was refused: renew it if it is still the stored one
    #[arg(long, value_name = "HASH", value_parser = rejected)]
    pub rejected: Option<String>,
    /// How the token is written
    #[arg(long, value_enum, default_value_t = Format::Raw)]
    pub format: Format,
    /// The id_token of OpenID Connect instead of the access token
    #[arg(long)]
    pub id_token: bool,
    /// Write it into this file (mode 0600, replaced atomically) instead of to standard output
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

/// How a token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The token and a line end; in a file the token alone
    Raw,
    /// One JSON object, as with --json
    Json,
    /// An Authorization header field
    Header,
    /// ACCESS_TOKEN=... (ID_TOKEN=... with --id-token), quoted for a shell where need be
    Env,
    /// For curl --config -: a configuration with the Authorization header
    Curl,
}

/// Run a command with a valid access token in its environment
///
/// The command takes the place of loopin, so signals and the exit code are its own. As in a shell the exit code is 127 if
/// there is no such command, and 126 if it cannot be executed. What fails before that has loopin's exit codes.
#[derive(Args, Debug)]
pub struct Exec {
    /// Which integration; may be left out where there is exactly one
    pub integration: Option<String>,
    #[command(flatten)]
    pub grant: GrantName,
    /// The token must stay valid for at least this long, such as 60s or 10m
    #[arg(long, value_name = "TIME", value_parser = duration, allow_negative_numbers = true)]
    pub min_ttl: Option<Duration>,
    /// The variable that holds the token; none that other programs act on, such as PATH
    #[arg(long, value_name = "NAME", default_value = "ACCESS_TOKEN", value_parser = variable, conflicts_with = "fd")]
    pub env: String,
    /// A file descriptor to read the token from, once, instead of a variable
    #[arg(long, value_name = "N", value_parser = descriptor, allow_negative_numbers = true)]
    pub fd: Option<u16>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub enum Helper {
    Git(GitHelper),
    Kubectl(KubectlHelper),
    Docker(DockerHelper),
}

/// Which integration answers a helper's client.
#[derive(Args, Debug)]
pub struct Chosen {
    /// This integration only, where several are for the same host
    #[arg(long, value_name = "NAME")]
    pub integration: Option<String>,
    #[command(flatten)]
    pub grant: GrantName,
}

/// Speak git's credential protocol; also when called as git-credential-loopin
#[derive(Args, Debug)]
pub struct GitHelper {
    #[command(flatten)]
    pub chosen: Chosen,
    /// get, store, erase or capability, as git says it; setup prints the configuration
    pub operation: String,
}

/// Be kubectl's exec credential plugin
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct KubectlHelper {
    #[command(flatten)]
    pub token: KubectlToken,
    #[command(subcommand)]
    pub verb: Option<KubectlVerb>,
}

#[derive(Debug, Subcommand)]
pub enum KubectlVerb {
    /// Print a kubeconfig with one user
    Setup(KubectlToken),
}

/// What a cluster is given.
#[derive(Args, Debug)]
pub struct KubectlToken {
    /// Which integration; may be left out where there is exactly one
    pub integration: Option<String>,
    #[command(flatten)]
    pub grant: GrantName,
    /// The id_token of OpenID Connect instead of the access token: what an API server with --oidc-issuer-url wants
    #[arg(long)]
    pub id_token: bool,
}

/// Speak docker's credential protocol; also when called as docker-credential-loopin
#[derive(Args, Debug)]
pub struct DockerHelper {
    #[command(flatten)]
    pub chosen: Chosen,
    /// get, store, erase, list or version, as docker says it; setup prints the configuration
    pub operation: Option<String>,
}

impl GrantName {
    /// As words of a command line.
    pub fn words(&self) -> Vec<String> {
        let account = self.account.iter().flat_map(|name| ["--account".to_owned(), name.clone()]);
        account.chain(self.action.iter().flat_map(|name| ["--action".to_owned(), name.clone()])).collect()
    }
}

impl Chosen {
    /// As words of a command line.
    pub fn words(&self) -> Vec<String> {
        let integration = self.integration.iter().flat_map(|name| ["--integration".to_owned(), name.clone()]);
        integration.chain(self.grant.words()).collect()
    }
}

/// Which grant to refresh. Nothing secret stands here.
#[derive(Args, Debug)]
pub struct RefreshWorker {
    pub integration: String,
    #[command(flatten)]
    pub grant: GrantName,
}

/// Show what is stored, until when, and which command repairs it
#[derive(Args, Debug)]
pub struct Status {
    /// Only this integration; exits with 4 when a person is needed
    pub integration: Option<String>,
    /// Logins in keychains and state directories that are not in use now, too
    #[arg(long)]
    pub all: bool,
}

/// Revoke the tokens at the provider and forget them
///
/// Lists the logins to the same integration that are left. Works too for an integration that is no longer in the
/// configuration.
#[derive(Args, Debug)]
pub struct Logout {
    /// Which integration; every one with --all
    pub integration: Option<String>,
    #[command(flatten)]
    pub grant: GrantName,
    /// Every account and action, in every store of this machine; without a name those of every integration
    #[arg(long, conflicts_with_all = ["account", "action"])]
    pub all: bool,
    /// Only forget them here
    #[arg(long)]
    pub local: bool,
}

/// Connect the accounts of an application's users at third parties, and keep their tokens alive
///
/// Reads --config loopin.toml; docs/serve.md has a complete one and shows what a front end does. Speaks plain HTTP: a
/// proxy in front of it speaks TLS. SIGTERM lets everybody finish, then ends. The access log is JSON lines on standard
/// output, without queries, tokens and users.
#[cfg(feature = "server")]
#[derive(Args, Debug)]
pub struct Serve {
    #[command(subcommand)]
    pub verb: Option<ServeVerb>,
}

#[cfg(feature = "server")]
#[derive(Debug, Subcommand)]
pub enum ServeVerb {
    /// Judge the configuration, its keys and its database; say what to register at each provider
    Check,
    /// Put one key in another's place, while the service runs
    #[command(subcommand)]
    Keys(ServeKeys),
    /// Make the database, or bring it up to this version, and end
    Migrate,
}

#[cfg(feature = "server")]
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the doc comments are the help, where [keys] is a table of the file"
)]
#[derive(Debug, Subcommand)]
pub enum ServeKeys {
    /// Seal everything that another key has sealed with the current one
    ///
    /// The service needs both keys first: add the new one to [keys], name it current, and start the service again. May be
    /// stopped at any moment and begun again.
    Rotate,
    /// Say how many rows each key seals; one that seals none can be taken out of [keys]
    Status,
}

#[derive(Debug, Subcommand)]
pub enum Redirect {
    Check(Check),
}

/// Judge a redirect URI by fourteen rules, each with its number and a remedy
#[derive(Args, Debug)]
pub struct Check {
    /// As registered at the provider
    pub uri: String,
    /// What an application sends: does it match?
    #[arg(long, value_name = "URI")]
    pub sent: Option<String>,
}

/// Show a whole login against a built-in practice provider; nothing leaves this machine
#[derive(Args, Debug)]
pub struct Demo {
    /// Play the person too: no browser is opened
    #[arg(long)]
    pub yes: bool,
    /// Let the practice provider do what this one does differently, such as slack; then refresh, and find the grant dead
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Open the URL with this command
    #[arg(long, value_name = "COMMAND")]
    pub browser: Option<String>,
}

/// Check whether this machine is ready for logins, and print how to fix what is not
///
/// Checks loopback addresses, browser, store, clock, proxy and CA certificates, and for each integration its redirect URIs
/// and its provider's metadata. Each line is good, warning or bad. Sends no token and changes nothing: the test item in the
/// store is deleted again. Ends within 20 seconds, also without a network, unless the keychain asks you to unlock it.
///
/// Exits with 0 if nothing is bad, otherwise with the first of these that applies: 9 a server cannot be trusted, 8 the store
/// fails, 3 the configuration or this machine has to be changed, 7 the network or a provider fails.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Check this integration only
    pub integration: Option<String>,
    /// Add version, system and the names of environment variables, without their values: paste it into a bug report
    #[arg(long)]
    pub report: bool,
}

/// Forward OAuth callbacks from a domain of your own to fixed targets, byte for byte
///
/// Reads the routes from --config relay.toml and answers with 307, connections kept alive, on every core. Speaks TLS with
/// the certificate that the configuration names, or plain HTTP behind a proxy that passes the Host field on;
/// trusted_proxies names those whose word on the client's address the log takes. SIGHUP reads the routes again and keeps
/// the old ones if the new ones are refused, a certificate that has changed is noticed; SIGTERM answers everybody who has
/// connected, then ends. The access log is JSON lines on standard output, without any query.
#[derive(Args, Debug)]
pub struct Relay {
    #[command(subcommand)]
    pub verb: Option<RelayVerb>,
}

#[derive(Debug, Subcommand)]
pub enum RelayVerb {
    Check(RelayCheck),
    Export(RelayExport),
}

/// Send odd queries through every route, compare the bytes, and print the URIs to register
///
/// Asks this program itself, or with --against a deployed relay and whatever stands in front of it. Exits with 9 when a
/// byte was altered, with 7 when nobody answers.
#[derive(Args, Debug)]
pub struct RelayCheck {
    #[expect(rustdoc::bare_urls, reason = "the doc comment is the help")]
    /// A deployed relay: https://acme.example or http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    pub against: Option<String>,
}

/// Print the same routes as the configuration of another server, with logs that hold no codes
#[derive(Args, Debug)]
pub struct RelayExport {
    /// Whose configuration
    pub server: ExportedServer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportedServer {
    Caddy,
    Nginx,
}

/// Print the completions of a shell
#[derive(Args, Debug)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}
