//! What fixes an error of a grant: a command to type, or a line of the configuration.

mod store;

use std::{io::ErrorKind, time::Duration};

use super::command_line::command;
use crate::{
    catalog::{IntegrationName, UnknownName, own_redirect},
    grants::{Again, Error, GrantId, NamedBy, Way},
    oauth::{CaFault, CaStore, DeviceError, DiscoveryError, ErrorCode, ExchangeError, HttpError, Meaning, Refusal},
    redirect::LoopbackHost,
    system::{client_secret::NoSecret, trusted_file::MISSING},
    vault::{AccountName, StoreError},
};

/// `None` where nothing but what happened can be told.
pub fn of(error: &Error) -> Option<String> {
    let text = match error {
        Error::BrowserNotOpened(_) => "open the URL above yourself, or name a browser with --browser COMMAND".into(),
        Error::ClientSecret { why, .. } => return of_client_secret(why),
        Error::ClientSecretNotStored(name) => {
            let set = command(["integration", "set", name.as_str(), "--secret-stdin"]);
            format!("pass it on standard input: {set}")
        }
        Error::Configuration { error, .. } | Error::NeedsRelay(error) => return error.remedy.clone(),
        Error::ConfigurationFile(why) | Error::Store(why) => return store::of(why, None),
        Error::NotLoggedIn { grant, elsewhere: Some(kind), .. } => store::set(&grant.integration, *kind),
        Error::StoreOf { grant, elsewhere: Some(kind), .. } => store::set(&grant.integration, *kind),
        Error::StoreOf { grant, why, .. } => return store::of(why, Some(grant)),
        Error::StoreElsewhere(grant) => {
            let forget = command(of_grant("logout", grant).into_iter().chain(["--local"]));
            format!("log out there, or forget it here: {forget}")
        }
        Error::StoreOfLogout { grant, kind, .. } => {
            let local = ["--local", "--store", kind.as_str()];
            let forget = command(of_grant("logout", grant).into_iter().chain(local));
            format!("open it and try again, or only forget the login here: {forget}")
        }
        Error::StoreVariable(_) => "set LOOPIN_STORE to file or keychain".into(),
        Error::ConfigurationChanged(grant)
        | Error::GrantEnded { grant, .. }
        | Error::IdTokenExpired(grant)
        | Error::IdTokenUnreadable(grant)
        | Error::LoggedOut(grant)
        | Error::NoRefreshToken { grant, .. }
        | Error::NotCovered { grant, .. }
        | Error::NotGranted { grant, .. }
        | Error::NotLoggedIn { grant, .. } => login_command(grant),
        Error::Denied { denial, again } => match denial.error.as_str() {
            "invalid_scope" => "check scopes in the integration".into(),
            "unauthorized_client" | "unsupported_response_type" | "invalid_request" => COMPARE.into(),
            "server_error" | "temporarily_unavailable" => LATER.into(),
            _ => return again.as_deref().map(again_command),
        },
        Error::Device(why) => return of_device(why),
        Error::DeviceCodeExpired { again, .. } => again_command(again),
        Error::Discovery(why) => return of_discovery(why),
        Error::Exchange(why) => return of_exchange(why),
        Error::LoggedInAlready(grant) => {
            format!("log out first, or name another --account: {}", command(of_grant("logout", grant)))
        }
        Error::Listen { host, error, .. } => match (host, error.kind()) {
            (LoopbackHost::Localhost, ErrorKind::AddrInUse) => {
                "register a redirect with 127.0.0.1 instead of localhost".into()
            }
            (_, ErrorKind::AddrInUse) => "free it, or list another registered redirect in redirect_uri".into(),
            (_, ErrorKind::PermissionDenied) => "register a redirect with :0 or with a port above 1023".into(),
            _ => "list a redirect of the other address family in redirect_uri".into(),
        },
        Error::Misconfigured { .. } => "check the integration; the grant is kept".into(),
        Error::NoBrowser(_) => "leave out --how browser, or name one with --browser COMMAND".into(),
        Error::NoCommonMethod(_) => {
            "if it accepts the secret all the same, write: token_endpoint_auth_method = \"client_secret_post\"".into()
        }
        Error::NoConfigurationFile { named_by, .. } => {
            let option = match named_by {
                NamedBy::Caller => "--config",
                NamedBy::Variable => "LOOPIN_CONFIG",
            };
            format!("correct {option}, or make the file: {}", command(["integration", "add", "NAME"]))
        }
        Error::NoDeviceEndpoint(again) => format!(
            "sign in with a browser: {}; or, if the provider's documentation names the endpoint, write: \
             device_authorization_endpoint = \"https://...\"",
            login_command(&again.grant)
        ),
        Error::NoIdToken(_) => "add the scope openid to the integration, then log in again".into(),
        Error::NoIntegration => command(["integration", "add", "NAME"]),
        Error::NotLoopback(_) => {
            "register http://127.0.0.1:0/callback/NAME for a native application, and write it as redirect_uri; where the provider \
             insists on https, write a relay's URI as relay (loopin relay --help)"
                .into()
        }
        Error::OtherAccount(_) => {
            "choose the right person in the browser, or log out of that account first".into()
        }
        Error::PkceNotPromised => {
            "remove require_pkce, or name the provider by issuer if its metadata says so".into()
        }
        Error::RefreshAmbiguous { grant, .. } => {
            let login = login_command(grant);
            format!("check the integration; the grant is kept; if nothing is wrong there: {login}")
        }
        Error::RefreshBusy { .. } | Error::RefreshSlow => "try again in a moment".into(),
        Error::RefreshUnavailable { .. } => LATER.into(),
        Error::RefreshUnstored { .. } => "repair the store, then run it again".into(),
        Error::Refused(Refusal::OtherOrigin) => {
            "if the provider's documentation states another issuer, add it to the integration: issuer = \"https://...\"".into()
        }
        Error::Refused(Refusal::UnlistedServer(_)) => {
            "if the provider's documentation lists that server, add it to origins of token_servers in the integration".into()
        }
        Error::RelayToAnyPort => "add --port N, or redirect_uri = \"http://127.0.0.1:N/callback\" to the integration, as the route's target has it".into(),
        Error::RelayToSeveral => "write one redirect_uri: the target of the route".into(),
        Error::Reported(reported) => return reported.remedy.clone(),
        Error::SeveralIntegrations => command(["integration", "list"]),
        Error::SharedRedirect { integration, .. } => of_shared_redirect(integration),
        Error::ShortIdTokens { life, .. } | Error::ShortTokens { life, .. } => {
            format!("ask for --min-ttl of less than {}s", life.as_secs())
        }
        Error::Timeout { again, .. } => return again.as_deref().map(again_command),
        Error::UnknownAction { integration, unknown } => {
            nearest(unknown, || command(["integration", "show", integration.as_str()]))
        }
        Error::UnknownIntegration(unknown) => nearest(unknown, || command(["integration", "list"])),
        Error::WorkerEnded => "try again".into(),
        _ => return None,
    };
    Some(text)
}

const COMPARE: &str = "compare the integration with what is registered at the provider";
const CHECK_CLIENT: &str = "check client_id, client_secret and token_endpoint_auth_method of the integration";
const LATER: &str = "try again later";

/// The command that brings this grant back.
pub fn login_command(grant: &GrantId) -> String {
    command(of_grant("login", grant))
}

/// The command that ends this grant.
pub fn logout_command(grant: &GrantId) -> String {
    command(of_grant("logout", grant))
}

/// A verb with the grant that it is about.
pub(super) fn of_grant<'a>(verb: &'a str, grant: &'a GrantId) -> Vec<&'a str> {
    let account = (grant.account != AccountName::default()).then(|| grant.account.as_str());
    let account = account.into_iter().flat_map(|name| ["--account", name]);
    let action = grant.action.name().into_iter().flat_map(|name| ["--action", name.as_str()]);
    [verb, grant.integration.as_str()].into_iter().chain(account).chain(action).collect()
}

fn again_command(again: &Again) -> String {
    let Again { grant, way, scopes, prompt, login_hint, parameters, relay, port, .. } = again;
    let port = port.map(|port| port.to_string());
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let scopes = scopes.iter().map(|scope| ("--scope", scope.as_str()));
    let way = match way {
        Way::DeviceCode => Some(("--how", "device")),
        Way::Redirect => None,
    };
    let options = scopes
        .chain(way)
        .chain(prompt.iter().map(|prompt| ("--prompt", prompt.as_str())))
        .chain(login_hint.iter().map(|hint| ("--login-hint", hint.as_str())))
        .chain(parameters.iter().map(|parameter| ("--param", parameter.as_str())))
        .chain(relay.iter().map(|relay| ("--relay", relay.as_str())))
        .chain(port.iter().map(|port| ("--port", port.as_str())));
    let words = of_grant("login", grant).into_iter().chain(options.flat_map(|(option, value)| [option, value]));
    command(words.collect::<Vec<_>>())
}

fn nearest(unknown: &UnknownName, otherwise: impl FnOnce() -> String) -> String {
    match &unknown.nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => otherwise(),
    }
}

fn of_shared_redirect(name: &IntegrationName) -> String {
    format!(
        "under [integration.{name}] write: redirect_uri = \"{}\" and register it at the provider; if the provider fixes the path, \
         write: shared_redirect = true",
        own_redirect(name)
    )
}

fn of_client_secret(why: &NoSecret) -> Option<String> {
    match why {
        NoSecret::File(why) => missing_file(why, "cat").or_else(|| store::of(why, None)),
        NoSecret::NotText(_) => None,
        NoSecret::Variable(name) => Some(format!("set {name}")),
    }
}

/// How to make a private file that is missing: `make` prints what is to be in it.
pub fn missing_file(why: &StoreError, make: &str) -> Option<String> {
    match why {
        StoreError::File { path, why } if why == MISSING => Some(format!("(umask 077; {make} > '{}')", path.display())),
        _ => None,
    }
}

fn of_device(error: &DeviceError) -> Option<String> {
    let text = match error {
        DeviceError::Denied(response) if response.meaning == Meaning::Later => later(response.retry_after),
        DeviceError::Denied(response) => match &response.code {
            ErrorCode::InvalidClient => CHECK_CLIENT.into(),
            ErrorCode::Other(code) if code == "invalid_scope" => "check scopes in the integration".into(),
            // GitHub's word for it is the third.
            ErrorCode::Other(code)
                if ["unauthorized_client", "unsupported_grant_type", "device_flow_disabled"]
                    .contains(&code.as_str()) =>
            {
                "allow this client the device flow at the provider, or log in with a browser, without --how device"
                    .into()
            }
            ErrorCode::InvalidGrant | ErrorCode::Other(_) => COMPARE.into(),
        },
        DeviceError::NotOAuth(what) if what.redirected() => {
            "write the final address as device_authorization_endpoint".into()
        }
        DeviceError::NotOAuth(what) if what.status == 429 || what.retry_after.is_some() => later(what.retry_after),
        DeviceError::NotOAuth(_) => "check device_authorization_endpoint, or try again later".into(),
        DeviceError::Unreachable(why) => return of_http(why),
        _ => return None,
    };
    Some(text)
}

fn of_exchange(error: &ExchangeError) -> Option<String> {
    let text = match error {
        ExchangeError::Denied(response) if response.meaning == Meaning::Later => later(response.retry_after),
        ExchangeError::Denied(response) => match response.code {
            ErrorCode::InvalidGrant => "start the login again".into(),
            ErrorCode::InvalidClient => CHECK_CLIENT.into(),
            ErrorCode::Other(_) => COMPARE.into(),
        },
        ExchangeError::IdToken(_) | ExchangeError::Malformed(_) => return None,
        ExchangeError::NotOAuth(what) if what.redirected() => "write the final address as token_endpoint".into(),
        ExchangeError::NotOAuth(what) if what.status == 429 || what.retry_after.is_some() => later(what.retry_after),
        ExchangeError::NotOAuth(_) => "check token_endpoint, or try again later".into(),
        ExchangeError::Unreachable(why) if why.is_lasting() => return of_http(why),
        ExchangeError::Unreachable(_) => "log in again once the provider can be reached".into(),
    };
    Some(text)
}

fn of_discovery(error: &DiscoveryError) -> Option<String> {
    let text = match error {
        DiscoveryError::Endpoint { .. } => return None,
        DiscoveryError::NotFound { .. } if error.is_passing() => "check the network and issuer, then try again".into(),
        DiscoveryError::NotFound { .. } => {
            "check issuer, or write authorization_endpoint and token_endpoint instead".into()
        }
        DiscoveryError::OtherIssuer { found, .. } => match found.as_str() {
            tenant if tenant.contains('{') => {
                format!(
                    "each tenant has an issuer there: write issuer with your tenant's ID in it, or for all of them: issuer_template = \"{tenant}\""
                )
            }
            found => format!("if you trust {found}, write: issuer = \"{found}\""),
        },
        DiscoveryError::Connection(why) => return of_http(why),
    };
    Some(text)
}

/// What fixes a request that got no response.
pub fn of_http(error: &HttpError) -> Option<String> {
    match error {
        HttpError::Certificate(_) => Some("check the address and the clock of this machine; if both are right, tell the provider".into()),
        HttpError::NoCa(CaStore::System) => Some("install the CA certificates of the system (package ca-certificates)".into()),
        HttpError::NoCa(CaStore::Variable { name, .. }) => {
            Some(format!("set {name} to CA certificates in PEM form, or use those of the system: unset {name}"))
        }
        HttpError::Proxy { variable, .. } => Some(unset(variable)),
        HttpError::UnknownCa(CaStore::System) => Some(
            "if you trust the server's CA (a company's proxy may have one), add its certificate to that store, or name a \
             file that has it: ca = \"FILE\" in the integration, or for all: export SSL_CERT_FILE=FILE"
                .into(),
        ),
        HttpError::UnknownCa(CaStore::Variable { name, path }) => Some(format!(
            "if you trust the server's CA, add its certificate to \"{path}\", or name a file that has it in the integration: \
             ca = \"FILE\"; or use those of the system: unset {name}"
        )),
        HttpError::UnknownCa(CaStore::Integration { path, .. }) => Some(format!(
            "if you trust the server's CA, add its certificate to \"{path}\"; or remove ca to trust the CAs of this system"
        )),
        HttpError::UnusableCa { store: CaStore::Integration { path, line }, why } => Some(of_ca(path, *line, why)),
        _ => Some(LATER.into()),
    }
}

fn of_ca(path: &str, line: usize, why: &CaFault) -> String {
    match why {
        CaFault::Empty => format!(
            "write the CA's certificate into it in PEM form, or convert it: openssl x509 -inform der -in FILE -out '{path}'"
        ),
        CaFault::OtherOwner => format!("check what is in it, then make it yours: sudo chown \"$(id -un)\" '{path}'"),
        CaFault::Writable { chmod, .. } => format!("check what is in it, then: chmod {chmod} '{path}'"),
        _ => format!("correct the file or line {line}, or remove ca to trust the CAs of this system"),
    }
}

/// For a provider that is busy.
fn later(retry_after: Option<Duration>) -> String {
    match retry_after {
        Some(wait) => format!("try again in {} s, as the provider asks", wait.as_secs()),
        None => LATER.into(),
    }
}

/// For a proxy variable that cannot be used.
fn unset(variable: &str) -> String {
    format!("correct it, or connect without a proxy: unset {variable}")
}
