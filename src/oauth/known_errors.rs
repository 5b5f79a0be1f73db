//! What providers answer in place of the errors of RFC 6749 section 5.2, as data.
//!
//! Each line has its source: a public report or a page of documentation. A line without one stays out. A user adds words
//! of a provider that is missing here with `dead_grant_errors` in the configuration.

use super::Meaning::{self, Client, DeadGrant, Later};

/// A word, or a word with a text beside it, and what it means for a grant whose refresh token was sent.
#[derive(Debug)]
pub(super) struct Known {
    /// The code, in any letter case; empty where the description alone is known.
    pub(super) word: &'static str,
    /// In the description, in lower case; empty for any or none.
    pub(super) text: &'static str,
    pub(super) means: Meaning,
    /// Repository and number of the report, or the document.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers, and for the test that there is one"))]
    pub(super) source: &'static str,
}

const fn word(word: &'static str, means: Meaning, source: &'static str) -> Known {
    Known { word, text: "", means, source }
}

const fn with_text(word: &'static str, text: &'static str, means: Meaning, source: &'static str) -> Known {
    Known { word, text, means, source }
}

/// A line with a text stands before the line of its word alone.
pub(super) const KNOWN: [Known; 28] = [
    // -- the standards ------------------------------------------------------------------------------------------------
    word("invalid_grant", DeadGrant, "RFC 6749 section 5.2"),
    word("invalid_client", Client, "RFC 6749 section 5.2"),
    word("server_error", Later, "RFC 6749 section 4.1.2.1"),
    word("temporarily_unavailable", Later, "RFC 6749 section 4.1.2.1"),
    word("slow_down", Later, "RFC 8628 section 3.5"),
    word("interaction_required", DeadGrant, "OpenID Connect Core section 3.1.2.6; Azure/azure-cli#23822"),
    word("login_required", DeadGrant, "OpenID Connect Core section 3.1.2.6"),
    word("consent_required", DeadGrant, "OpenID Connect Core section 3.1.2.6"),
    // -- dead grants in a provider's own words ------------------------------------------------------------------------
    word("bad_refresh_token", DeadGrant, "lelylan/simple-oauth2#459 (GitHub); airbytehq/airbyte#79592 (HubSpot)"),
    word("invalid_refresh_token", DeadGrant, "slackapi/python-slack-sdk#1242; josuebrunel/yahoo-oauth#51"),
    word("token_revoked", DeadGrant, "CogniQ/CogniQ#72 (Slack)"),
    word("token_expired", DeadGrant, "slackapi/bolt-js#1968 (of an access token)"),
    word("invalid_token", DeadGrant, "ccpgames/sso-issues#31"),
    word("refresh_token_not_found", DeadGrant, "supabase/auth@00fc461 internal/api/apierrors/errorcode.go"),
    word("refresh_token_expired", DeadGrant, "docs.cloudbase.net/en/error-code/REFRESH_TOKEN_EXPIRED"),
    word("invalid_code", DeadGrant, "schmorrison/Zoho#18"),
    word("RefreshToken.invalid", DeadGrant, "dreeveapp/dreeve#1449 (Strava)"),
    // -- dead grants under a word that has another meaning elsewhere --------------------------------------------------
    with_text("unauthorized_client", "refresh_token is invalid", DeadGrant, "raycast/extensions#11836 (Atlassian)"),
    with_text("invalid_request", "the refresh_token is invalid", DeadGrant, "wix-incubator/DeviantArt-API#58"),
    with_text("invalid_request", "invalid \"refresh_token\" in request", DeadGrant, "authlib/authlib#112"),
    with_text("", "refresh_token is revoked", DeadGrant, "etsy/open-api#549"),
    // -- dead grants that only a text names ---------------------------------------------------------------------------
    with_text("", "invalid refresh token", DeadGrant, "Teekeks/pyTwitchAPI#37 (Twitch), supabase/auth-js#620"),
    with_text("", "invalid grant", DeadGrant, "twitchdev/issues#1042"),
    // -- the provider is busy -----------------------------------------------------------------------------------------
    word("internal_failure", Later, "googleapis/google-auth-library-python#368, googleads/google-ads-java#117"),
    word("internal_error", Later, "docs.slack.dev/reference/methods/oauth.v2.access"),
    word("fatal_error", Later, "docs.slack.dev/reference/methods/oauth.v2.access"),
    word("ratelimited", Later, "docs.slack.dev/reference/methods/oauth.v2.access"),
    with_text("", "too many requests", Later, "allegro/allegro-api#3374"),
];

/// What these words and this description mean. The words of a dead grant count before all others: a list of errors may
/// name a general one beside it.
pub(super) fn meaning(words: &[String], description: Option<&str>) -> Meaning {
    let description = description.unwrap_or_default().to_ascii_lowercase();
    let applies = |known: &&Known| {
        (known.word.is_empty() || words.iter().any(|word| word.eq_ignore_ascii_case(known.word)))
            && (known.text.is_empty() || description.contains(known.text))
    };
    let mut found = KNOWN.iter().filter(applies).map(|known| known.means);
    found.next().unwrap_or(Meaning::Unknown)
}
