//! `GET /:group/authorize`: what is requested, by whom, and how the flow starts.

use url::form_urlencoded;

use super::{app_callback::AllowList, base_url::BaseUrl, flow::FlowRequest, problem::Problem, scopes};
use crate::{
    catalog::Integration,
    secret::Secret,
    vault::{GrantKey, Owner},
};

/// What `query_token` lets a token in the URL do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryToken {
    /// The user sees whose account will be connected and confirms with a button.
    #[default]
    Confirm,
    /// A token in the URL is rejected.
    Off,
    /// No confirmation: anybody who can make a user open a link can connect that user's account to their own
    /// (docs/threats.md, V01).
    Redirect,
}

/// The query, not checked yet.
#[derive(Debug, Default)]
pub struct Query {
    /// What is to be connected.
    pub request: UncheckedFlowRequest,
    /// The JWT of the application, in the `token` parameter.
    pub token: Option<Secret>,
    /// The ticket of the confirmation page's button.
    pub confirm: Option<String>,
    /// The ticket of a one-time link.
    pub link: Option<String>,
}

/// The requested connection, not checked yet; from the query or the body of `POST /:group/link`.
#[derive(Debug, Default)]
pub struct UncheckedFlowRequest {
    /// `appCallbackUrl`.
    pub app_callback_url: Option<String>,
    /// `action`.
    pub action: Option<String>,
    /// `baseUrl`.
    pub base_url: Option<String>,
    /// Values of `scopes` and `scopes[]`, in their order.
    pub scopes: Vec<String>,
}

impl Query {
    /// Parses the query. Unknown parameters are ignored.
    ///
    /// # Errors
    /// A parameter occurs twice: a proxy in front of the service may use the other value.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut parsed = Self::default();
        let once = |name: &'static str, slot: &mut Option<String>, value: String| match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(Problem::DuplicateParameter(name)),
        };
        let mut token = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (request, value) = (&mut parsed.request, value.into_owned());
            match name.as_ref() {
                "appCallbackUrl" => once("appCallbackUrl", &mut request.app_callback_url, value)?,
                "action" => once("action", &mut request.action, value)?,
                "baseUrl" => once("baseUrl", &mut request.base_url, value)?,
                "token" => once("token", &mut token, value)?,
                "confirm" => once("confirm", &mut parsed.confirm, value)?,
                "link" => once("link", &mut parsed.link, value)?,
                "scopes" | "scopes[]" => request.scopes.push(value),
                _ => {}
            }
        }
        parsed.token = token.map(Secret::new);
        Ok(parsed)
    }
}

impl UncheckedFlowRequest {
    /// # Errors
    /// A value is missing, unknown or not allowed. The error is never sent by a redirect.
    pub fn check(
        &self,
        integration: &Integration,
        callbacks: &AllowList,
        owner: Owner,
    ) -> Result<FlowRequest, Problem> {
        let url = self.app_callback_url.as_deref().ok_or(Problem::MissingParameter("appCallbackUrl"))?;
        let url = callbacks.admit(&owner, url).map_err(|why| Problem::InvalidAppCallbackUrl(why.to_string()))?;
        let action = self.action.as_deref().ok_or(Problem::MissingParameter("action"))?;
        let action = scopes::action(integration, action).map_err(|_| Problem::UnknownAction)?;
        let pairs = self.scopes.iter().map(|value| ("scopes", value.as_str()));
        let extra = scopes::extra(pairs, &integration.allowed_scopes).map_err(Problem::ScopeNotAllowed)?;
        let base_url = self.base_url.as_deref().filter(|text| !text.is_empty());
        let base_url = base_url
            .map(|text| BaseUrl::named(text, integration))
            .transpose()
            .map_err(|why| Problem::BaseUrlNotAllowed(why.to_string()))?
            .flatten();
        Ok(FlowRequest {
            key: GrantKey { owner, integration: integration.name.clone(), action },
            app_callback_url: url.as_str().to_owned(),
            scopes: extra,
            base_url: base_url.map(|base| base.as_str().to_owned()),
        })
    }
}

/// How a caller was identified. Only a header proves that the application itself sent the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The session cookie of the application.
    Cookie,
    /// The `Authorization` header.
    Header,
    /// `token` in the URL.
    Query,
}

/// A token and where it was found.
#[derive(Debug)]
pub struct Presented<'a> {
    /// Where the token was found.
    pub credential: Credential,
    /// The JWT.
    pub token: &'a str,
}

/// The token that counts: the header's, otherwise `token`, otherwise the cookie's. What the application wrote for this
/// request overrides the session.
///
/// # Errors
/// There is no token, or two that differ: an attacker may have planted one of them.
pub fn presented<'a>(
    header: Option<&'a str>,
    query: Option<&'a Secret>,
    cookie: Option<&'a str>,
) -> Result<Presented<'a>, Problem> {
    match (header, query, cookie) {
        (Some(header), Some(query), _) if !query.matches(header) => Err(Problem::TwoTokens),
        (Some(token), _, _) => Ok(Presented { credential: Credential::Header, token }),
        (None, Some(query), _) => Ok(Presented { credential: Credential::Query, token: query.expose() }),
        (None, None, Some(token)) => Ok(Presented { credential: Credential::Cookie, token }),
        (None, None, None) => Err(Problem::Unauthenticated),
    }
}

/// The Fetch Metadata of a request, as far as it is used here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetch<'a> {
    /// `Sec-Fetch-Site`.
    pub site: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub dest: Option<&'a str>,
}

impl Fetch<'_> {
    /// Whether this is no navigation but the request of another page for an image, a script, a frame or a fetch. Such a
    /// request carries the user's cookie without any action of the user.
    pub fn is_subresource(self) -> bool {
        let navigates = match self.mode {
            Some(mode) => mode == "navigate",
            // Browsers that send the site send the mode as well.
            None => self.site != Some("cross-site"),
        };
        !navigates || self.dest.is_some_and(|dest| dest != "document")
    }

    /// A page of the application started the navigation.
    fn is_from_the_application(self) -> bool {
        matches!(self.site, Some("same-origin" | "same-site")) && matches!(self.mode, None | Some("navigate"))
    }
}

/// What the caller accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// `application/json` is among the accepted types.
    Json,
    /// Anything else.
    Other,
}

impl Accept {
    /// The answer for the elements of an `Accept` field.
    pub fn of(ranges: &[&str]) -> Self {
        let json = |range: &&str| {
            range.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        };
        if ranges.iter().any(json) { Self::Json } else { Self::Other }
    }
}

/// How a flow starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The user sees user and organization and confirms with a button.
    Confirm,
    /// 200 with the authorization URL, for a page that navigates by itself.
    Json,
    /// 302 to the authorization URL.
    Redirect,
}

impl Start {
    /// If a link names an instance, the user confirms it first, even if the link is on the application's own site:
    /// somebody who can plant a link there must not choose the server where the user signs in (mix-up).
    pub fn at(self, base_url: Option<&str>, credential: Credential) -> Self {
        match (self, credential) {
            (Self::Redirect, Credential::Cookie | Credential::Query) if base_url.is_some() => Self::Confirm,
            (start, _) => start,
        }
    }
}

/// Another site can make a browser send everything except a header, so without a header the user confirms (cross-user
/// session fixation; docs/threats.md, V01).
///
/// # Errors
/// `query_token` is off.
pub fn start(
    credential: Credential,
    accept: Accept,
    fetch: Fetch<'_>,
    query_token: QueryToken,
) -> Result<Start, Problem> {
    match (credential, query_token) {
        (Credential::Header, _) if accept == Accept::Json => Ok(Start::Json),
        (Credential::Header, _) => Ok(Start::Redirect),
        (Credential::Cookie, _) if fetch.is_from_the_application() => Ok(Start::Redirect),
        (Credential::Cookie, _) | (Credential::Query, QueryToken::Confirm) => Ok(Start::Confirm),
        (Credential::Query, QueryToken::Redirect) => Ok(Start::Redirect),
        (Credential::Query, QueryToken::Off) => Err(Problem::QueryTokenOff),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v18_what_stands_for_one_value_may_stand_once() {
        for name in ["appCallbackUrl", "action", "baseUrl", "token", "confirm", "link"] {
            let twice = format!("{name}=a&x=1&{name}=a");
            assert_eq!(Some(Problem::DuplicateParameter(name)), Query::parse(&twice).err(), "{name}");
            let hidden = format!("{name}=a&%{:02x}{}=b", name.as_bytes()[0], &name[1..]);
            assert_eq!(Some(Problem::DuplicateParameter(name)), Query::parse(&hidden).err(), "{hidden}");
        }
        let query = Query::parse("scopes=a&scopes[]=b&scopes=c,d&action=read&x=1&x=2").expect("query");
        assert_eq!(vec!["a", "b", "c,d"], query.request.scopes);
        assert_eq!(Some("read"), query.request.action.as_deref());
    }

    #[test]
    fn v09_a_header_and_a_token_in_the_address_that_differ_are_refused() {
        let query = Secret::new("b".into());
        assert_eq!(Some(Problem::TwoTokens), presented(Some("a"), Some(&query), None).err());
        assert_eq!(Credential::Header, presented(Some("b"), Some(&query), None).expect("the same").credential);
        assert_eq!("b", presented(None, Some(&query), Some("cookie")).expect("token").token);
        assert_eq!(Some(Problem::Unauthenticated), presented(None, None, None).err());
    }

    #[test]
    fn v01_v30_only_the_application_itself_starts_a_flow_without_asking_the_person() {
        use QueryToken::{Confirm, Off, Redirect};
        let told = |site, mode| Fetch { site, mode, dest: None };
        let page = told(Some("same-site"), Some("navigate"));
        let start = |credential, fetch, query| start(credential, Accept::Other, fetch, query);
        for query in [Confirm, Off, Redirect] {
            assert_eq!(Ok(Start::Redirect), start(Credential::Header, Fetch::default(), query));
            assert_eq!(Ok(Start::Redirect), start(Credential::Cookie, page, query));
            for strange in [
                Fetch::default(),
                told(Some("cross-site"), Some("navigate")),
                told(Some("none"), Some("navigate")),
                told(Some("same-site"), Some("no-cors")),
                told(Some("same-origin"), Some("cors")),
                told(Some("SAME-SITE"), None),
                told(None, Some("navigate")),
            ] {
                assert_eq!(Ok(Start::Confirm), start(Credential::Cookie, strange, query), "{strange:?}");
            }
        }
        assert_eq!(
            Ok(Start::Confirm),
            start(Credential::Query, page, Confirm),
            "a link in a page of ours may be planted"
        );
        assert_eq!(Ok(Start::Redirect), start(Credential::Query, Fetch::default(), Redirect));
        assert_eq!(Err(Problem::QueryTokenOff), start(Credential::Query, page, Off));
    }

    #[test]
    fn h03_an_instance_that_a_link_names_is_confirmed_by_the_user() {
        use Start::{Confirm, Json, Redirect};
        let at = Some("https://git.acme.example");
        assert_eq!(Confirm, Redirect.at(at, Credential::Cookie));
        assert_eq!(Confirm, Redirect.at(at, Credential::Query));
        assert_eq!(Redirect, Redirect.at(at, Credential::Header), "no link carries a header");
        assert_eq!(Redirect, Redirect.at(None, Credential::Cookie));
        assert_eq!([Json, Confirm], [Json, Confirm].map(|start| start.at(at, Credential::Header)));
    }

    #[test]
    fn an_address_is_given_as_json_only_where_a_header_came() {
        let accept = Accept::of(&["text/html", "application/json;q=0.9"]);
        let json = |credential| start(credential, accept, Fetch::default(), QueryToken::Confirm);
        assert_eq!(Ok(Start::Json), json(Credential::Header));
        assert_eq!(Ok(Start::Confirm), json(Credential::Cookie));
        assert_eq!(Ok(Start::Confirm), json(Credential::Query));
        assert_eq!(Accept::Other, Accept::of(&["text/html", "*/*"]));
    }
}
