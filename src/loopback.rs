//! One request at the bound redirect: is it the answer, and what is the browser shown?
//!
//! Everything is answered, and only an answer with the right `state` ends the wait. The page that says
//! "signed in" is reached by a redirect once the tokens are stored, so that it is true and so that the address
//! with the code in it does not stay in the browser's session.

mod handed;
pub mod pages;

use std::fmt;

use memchr::memchr;

pub use handed::NotTheResponse;

use crate::{
    head::{Fetch, Head, Host, Method},
    oauth::{
        CodeReceived, Denial, Pending, Pkce, Received, Refusal, ResponseMode, Unrelated, WireDialect, form_response,
    },
    redirect::BoundRedirect,
    reply::{Location, Reply},
};

/// The largest body of a response in a form, in bytes: as long as the longest query.
const LONGEST_FORM: usize = 64 * 1024;

/// The login as seen from its listener.
#[derive(Debug)]
pub struct Loopback {
    redirect: BoundRedirect,
    pkce: Pkce,
    /// With [`ResponseMode::FormPost`] a response in the query is accepted too: some providers return errors there.
    mode: ResponseMode,
    dialect: WireDialect,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Waiting(Pending),
    /// The code of another user of this machine is being exchanged. If it is refused the login waits again, and the
    /// user's own answer is taken meanwhile.
    Doubted(Pending),
    /// The code is being exchanged; the browser that brought it waits.
    Answered,
    Over(Outcome),
}

/// How the login ended, as far as the browser is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The tokens are stored.
    Done,
    Failed,
}

/// Who sent an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentBy {
    /// Another user of this machine, or a connection that nobody owns any more.
    Other,
    /// The user who logs in, or the system does not tell.
    User,
}

/// What a request led to.
#[derive(Debug)]
pub enum Reaction {
    /// The answer. Hold the browser, exchange the code, then call [`Loopback::finish`], or [`Loopback::refuse`] if
    /// another user sent the code and the token endpoint refused it.
    Code(CodeReceived, SentBy),
    /// The provider or the person said no: answer, and end the login.
    Denied(Reply, Denial),
    /// The final page was asked for: answer, and stop listening when it has been sent.
    Landed(Reply),
    /// An answer that no honest provider gives: answer, and end the login.
    Refused(Reply, Refusal),
    /// Not the answer: reply, and go on waiting.
    Stray(Reply, Stray),
}

/// Why a request was not the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stray {
    AlreadyAnswered,
    Body,
    /// The token endpoint refused the code that another user of this machine sent.
    CodeRefused,
    /// A request target with `#`, which no browser sends (RFC 9112 section 3.2): some other program wrote it.
    Fragment,
    Host,
    Method,
    /// Another user of this machine sent an answer, and nothing shows that its code belongs to this login.
    OtherUser,
    /// Favicons, scans, the final page before its time.
    Path,
    /// A POST at the redirect URI, which only an integration with `response_mode = "form_post"` expects.
    Posted,
    Prefetch,
    /// A picture, script, frame, fetch or form of some page: `Sec-Fetch-*` tells.
    Subresource,
    Unrelated(Unrelated),
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyAnswered => "the answer had come already",
            Self::Body => "a request with a body",
            Self::CodeRefused => "another user of this machine sent a code, and the provider refused it",
            Self::Fragment => "a request target with a fragment",
            Self::Host => "a Host that is not ours",
            Self::Method => "a method other than GET",
            Self::OtherUser => {
                "another user of this machine sent an answer, and the provider does not promise to check PKCE; open the \
                 URL as the user who runs loopin, or set code_challenge_method = \"S256\" if the provider checks it"
            }
            Self::Path => "another path",
            Self::Posted => {
                "a POST at the redirect URI; if the provider returns its response in that way, add to the integration: \
                 response_mode = \"form_post\""
            }
            Self::Prefetch => "a prefetch",
            Self::Subresource => "a request that some page makes, not a person",
            Self::Unrelated(why) => return why.fmt(f),
        })
    }
}

impl Loopback {
    /// `pkce` is what can be relied on: [`Pkce::Off`] where the server is not known to check it.
    pub fn new(pending: Pending, pkce: Pkce) -> Self {
        let mode = pending.response_mode();
        let (redirect, dialect) = (pending.redirect().clone(), pending.dialect().clone());
        Self { redirect, pkce, mode, dialect, stage: Stage::Waiting(pending) }
    }

    /// The largest body in bytes to read for this request.
    pub fn body_limit(&self, head: &Head) -> usize {
        if self.is_form_post(head) { LONGEST_FORM } else { 0 }
    }

    /// A request whose body was not read.
    pub fn receive(&mut self, head: &Head, sent_by: impl FnOnce() -> SentBy) -> Reaction {
        self.receive_with_body(head, &[], sent_by)
    }

    /// `sent_by` is only called for an answer with the right `state`.
    pub fn receive_with_body(&mut self, head: &Head, body: &[u8], sent_by: impl FnOnce() -> SentBy) -> Reaction {
        let reaction = match self.place(head) {
            Err(stray) => Err(stray),
            Ok(Place::Landing(outcome)) => Ok(Reaction::Landed(pages::landing(outcome))),
            Ok(Place::Callback) if head.method == Method::Post => match form_response(body, &self.dialect) {
                Some(query) => self.answer(query.as_bytes(), sent_by),
                None => Err((pages::unrelated(), Stray::Unrelated(Unrelated::NotText))),
            },
            Ok(Place::Callback) => self.answer(head.query().unwrap_or_default(), sent_by),
        };
        reaction.unwrap_or_else(|(reply, why)| Reaction::Stray(reply, why))
    }

    /// The answer for the browser that is held.
    pub fn finish(&mut self, outcome: Outcome) -> Reply {
        self.stage = Stage::Over(outcome);
        self.see(outcome)
    }

    /// The answer for another user whose code the token endpoint refused. The login waits again, unless the user's own
    /// answer has come meanwhile.
    pub fn refuse(&mut self) -> Reply {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Answered) {
            Stage::Doubted(pending) => Stage::Waiting(pending),
            other => other,
        };
        pages::unrelated()
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_))
    }

    /// Whether the request may be a response in a form (OAuth 2.0 Form Post Response Mode section 2).
    fn is_form_post(&self, head: &Head) -> bool {
        self.mode == ResponseMode::FormPost && self.is_post_at_the_redirect(head)
    }

    fn is_post_at_the_redirect(&self, head: &Head) -> bool {
        head.method == Method::Post && head.path() == self.redirect.path().as_bytes()
    }

    /// Which of the two pages the request is for, or why it is for none.
    fn place(&self, head: &Head) -> Result<Place, (Reply, Stray)> {
        let refuse = |status: u16, why: Stray| Err((Reply::status(status), why));
        match head.method {
            Method::Get => {}
            Method::Post if self.is_form_post(head) => {}
            Method::Post if self.is_post_at_the_redirect(head) => {
                return Err((Reply::status(405).allow("GET"), Stray::Posted));
            }
            // No Access-Control-Allow-*: a preflight never opens the way for a page.
            Method::Options => return refuse(403, Stray::Method),
            Method::Head | Method::Other | Method::Post => {
                return Err((Reply::status(405).allow("GET"), Stray::Method));
            }
        }
        match &head.host {
            Host::One(host) if host == self.redirect.authority().as_bytes() => {}
            Host::One(_) => return refuse(421, Stray::Host),
            Host::Missing | Host::Several => return refuse(400, Stray::Host),
        }
        if memchr(b'#', &head.target).is_some() {
            return refuse(400, Stray::Fragment);
        }
        if head.content_length > 0 && !self.is_form_post(head) {
            return refuse(400, Stray::Body);
        }
        let path = head.path();
        let place = match self.stage {
            _ if path == self.redirect.path().as_bytes() => Place::Callback,
            Stage::Over(outcome) if path == self.landing(outcome).as_bytes() => Place::Landing(outcome),
            _ => return refuse(404, Stray::Path),
        };
        navigation(&head.fetch).map_err(|why| (Reply::status(403), why))?;
        Ok(place)
    }

    fn answer(&mut self, query: &[u8], sent_by: impl FnOnce() -> SentBy) -> Result<Reaction, (Reply, Stray)> {
        let (pending, stage): (_, fn(Pending) -> Stage) = match std::mem::replace(&mut self.stage, Stage::Answered) {
            Stage::Waiting(pending) => (pending, Stage::Waiting),
            Stage::Doubted(pending) => (pending, Stage::Doubted),
            over => {
                self.stage = over;
                return Err((pages::already_answered(), Stray::AlreadyAnswered));
            }
        };
        let again = stage(pending.again());
        match pending.receive(query) {
            Received::Unrelated(pending, why) => {
                self.stage = stage(pending);
                Err((pages::unrelated(), Stray::Unrelated(why)))
            }
            Received::Code(code) => {
                let sent_by = self.admit(sent_by(), again)?;
                Ok(Reaction::Code(code, sent_by))
            }
            Received::Denied(denial) => {
                self.admit(sent_by(), again)?;
                Ok(Reaction::Denied(self.finish(Outcome::Failed), denial))
            }
            Received::Refused(refusal) => {
                self.admit(sent_by(), again)?;
                self.stage = Stage::Over(Outcome::Failed);
                Ok(Reaction::Refused(pages::refused(), refusal))
            }
        }
    }

    /// Whether an answer with the right `state` counts. Another user can have read `state` from the command line of the
    /// browser, so without PKCE their answer could bring a code of their own; with PKCE the token endpoint decides.
    /// `again` is the stage before the answer.
    fn admit(&mut self, sent_by: SentBy, again: Stage) -> Result<SentBy, (Reply, Stray)> {
        match (sent_by, self.pkce, again) {
            (SentBy::User, ..) => Ok(sent_by),
            (SentBy::Other, Pkce::Off, again) => {
                self.stage = again;
                Err((pages::other_user(), Stray::OtherUser))
            }
            (SentBy::Other, Pkce::S256, Stage::Waiting(pending)) => {
                self.stage = Stage::Doubted(pending);
                Ok(sent_by)
            }
            // One at a time.
            (SentBy::Other, Pkce::S256, again) => {
                self.stage = again;
                Err((pages::already_answered(), Stray::AlreadyAnswered))
            }
        }
    }

    fn see(&self, outcome: Outcome) -> Reply {
        Reply::redirect(303, Location::from_static(self.landing(outcome)))
    }

    /// A path of ours that is not the callback's.
    fn landing(&self, outcome: Outcome) -> &'static str {
        let (usual, other) = match outcome {
            Outcome::Done => ("/done", "/signed-in"),
            Outcome::Failed => ("/failed", "/not-signed-in"),
        };
        if self.redirect.path() == usual { other } else { usual }
    }
}

enum Place {
    Callback,
    Landing(Outcome),
}

/// Only a person's own navigation counts (Fetch Metadata). Programs without these fields pass.
fn navigation(fetch: &Fetch) -> Result<(), Stray> {
    let is = |value: &Option<Vec<u8>>, wanted: &[u8]| value.as_deref().is_none_or(|v| v.eq_ignore_ascii_case(wanted));
    if fetch.purpose.is_some() {
        return Err(Stray::Prefetch);
    }
    match is(&fetch.dest, b"document") && is(&fetch.mode, b"navigate") {
        true => Ok(()),
        false => Err(Stray::Subresource),
    }
}

#[cfg(test)]
mod tests;
