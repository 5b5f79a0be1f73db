//! The pages of the service: one confirmation, and errors. All other pages are the application's.

use std::fmt::Write;

use super::flow::FlowRequest;
use crate::reply::{FieldValue, Reply, page};

macro_rules! asked {
    ($title:literal, $body:expr) => {
        page!(
            title: $title,
            style: concat!(
                "dl{text-align:left;margin:1.5rem 0;display:grid;grid-template-columns:auto 1fr;gap:.4rem 1rem}\n",
                "dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere;font-weight:600}\n",
                "a.go{display:inline-block;padding:.6rem 1.4rem;border-radius:.6rem;background:var(--good);color:var(--card);text-decoration:none}\n",
                "a.go:focus-visible{outline:3px solid var(--wait);outline-offset:2px}\n",
                "p+p{margin-top:1rem}\n",
                "@media (max-width:26rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}\n"
            ),
            concat!("<h1>", $title, "</h1>\n", $body)
        )
    };
}

const CONFIRM: &str = asked!(
    "Connect this account?",
    concat!(
        "<p>You are about to give access to your account at <strong>{integration}</strong> (<strong>{server}</strong>). The connection will belong to:</p>\n",
        "<dl><dt>User</dt><dd>{user}</dd><dt>Organization</dt><dd>{org}</dd><dt>For</dt><dd>{action}</dd>",
        "<dt>Then back to</dt><dd>{host}</dd></dl>\n",
        "<p><a class=\"go\" href=\"{href}\" rel=\"noreferrer\">Continue</a></p>\n",
        "<p>If this is not you, close this page: somebody else may have sent you here.</p>\n"
    )
);

const LOST: &str = asked!(
    "This sign-in has expired or was already completed",
    "<p>Nothing was stored. Go back to your application and connect again.</p>\n"
);

const STALE: &str = asked!(
    "This page has expired",
    "<p>It was already used, is too old, or was opened in another browser. Go back to your application and connect again.</p>\n"
);

const LATER: &str = asked!(
    "Please try again in a moment",
    "<p>Your sign-in could not be completed now. Nothing is lost: reload this page in a few seconds.</p>\n"
);

const OFTEN: &str = asked!(
    "Too many attempts",
    "<p>There were too many attempts in a short time. Wait a minute, then go back to your application and try again.</p>\n"
);

const CLOSED: &str = asked!(
    "The application's address is no longer allowed",
    "<p>You cannot be sent back to it. Nothing was stored. Go back to your application and connect again.</p>\n"
);

/// The user sees whose connection it will be and at which server (`server`: host and port), and confirms. `href` starts
/// the flow, in this browser only.
pub fn confirm(request: &FlowRequest, server: &str, href: &str) -> Reply {
    let host = request.app_callback_url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next());
    let fields = [
        ("{integration}", request.key.integration.as_str()),
        ("{server}", server),
        ("{user}", request.key.owner.user.as_str()),
        ("{org}", request.key.owner.org.as_str()),
        ("{action}", request.key.action.as_str()),
        ("{host}", host.unwrap_or_default()),
        ("{href}", href),
    ];
    // In one pass, so that a value that looks like a placeholder is not replaced.
    let (mut page, mut rest) = (String::with_capacity(CONFIRM.len() + 512), CONFIRM);
    while let Some((at, (place, value))) =
        fields.iter().filter_map(|field| Some((rest.find(field.0)?, *field))).min_by_key(|(at, _)| *at)
    {
        page.push_str(&rest[..at]);
        page.push_str(&escaped(value));
        rest = &rest[at + place.len()..];
    }
    page.push_str(rest);
    Reply::html(200, page)
}

/// The `state` is unknown or no longer known, so there is no application to redirect to.
pub fn lost() -> Reply {
    Reply::html(400, LOST)
}

/// A button or a one-time link that has expired or was used.
pub fn stale() -> Reply {
    Reply::html(410, STALE)
}

/// The database cannot be used. The code was not used, so reloading helps.
pub fn later() -> Reply {
    Reply::html(503, LATER).with_field("Retry-After", "2")
}

/// A limit is exceeded; `retry_after` in seconds.
pub fn too_often(retry_after: u64) -> Reply {
    Reply::html(429, OFTEN).with_value("Retry-After", FieldValue::from(retry_after))
}

/// The callback is no longer allowed.
pub fn closed() -> Reply {
    Reply::html(400, CLOSED)
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '_' | '-' | '@' | '/' | ':' | '?' | '=' | '+' => {
                safe.push(c)
            }
            _ => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::IntegrationName,
        oauth::Scopes,
        vault::{AccountName, ActionKey, GrantKey, Namespace, OrgKey, Owner},
    };

    #[test]
    fn v20_names_on_the_page_are_text_and_nothing_else() {
        for hostile in ["<script>alert(1)</script>", "\" onclick=\"x", "{href}", "&lt;", "'"] {
            let request = FlowRequest {
                key: GrantKey {
                    owner: Owner {
                        namespace: Namespace::default(),
                        user: AccountName::parse(hostile).expect("printable"),
                        org: OrgKey::parse(hostile).expect("printable"),
                    },
                    integration: IntegrationName::parse("work").expect("name"),
                    action: ActionKey::All,
                },
                app_callback_url: "https://app.example/done".into(),
                scopes: Scopes::default(),
                base_url: None,
            };
            let reply = confirm(&request, hostile, "/there");
            let page = String::from_utf8_lossy(reply.body()).into_owned();
            assert!(!page.contains(hostile), "{hostile}");
            assert!(page.contains("<dd>app.example</dd>") && page.contains("href=\"/there\""));
        }
    }
}
