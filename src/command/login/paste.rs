//! The terminal of a login that takes a pasted address.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::plan::Paste;
use crate::{
    grants::{Event, Handover},
    oauth::ResponseMode,
    report::{self, Code, Failure, Talk, sign_in_from_elsewhere},
    system::{
        environment::Elsewhere,
        hidden_input::{HiddenInput, Typed},
    },
};

pub struct Pasting {
    when: Paste,
    elsewhere: Option<Elsewhere>,
    handover: Handover,
    talk: Talk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    input: Option<HiddenInput>,
    /// Where the listener is, and where the browser ends.
    redirect: Option<(String, String)>,
    mode: ResponseMode,
}

impl Pasting {
    pub fn new(when: Paste, elsewhere: Option<Elsewhere>, handover: Handover, talk: Talk) -> Self {
        Self { when, elsewhere, handover, talk, state: Mutex::default() }
    }

    /// `say` tells the event to the user; the prompt follows what it is about.
    pub fn hear(&self, event: &Event<'_>, say: impl FnOnce()) {
        match (event, self.when) {
            (Event::Listening(redirect), _) => self.redirect(redirect, redirect),
            (Event::Relayed { relay, listener }, _) => self.redirect(listener, relay),
            (Event::Storing, _) => self.end(),
            _ => {}
        }
        match (event, self.when) {
            // What to do then follows in more words.
            (Event::BrowserNone(why), Paste::AtOnce | Paste::IfNoBrowserOpens) => {
                self.talk.say(&report::Event::Step(&why.to_string()));
            }
            _ => say(),
        }
        match (event, self.when) {
            (Event::BrowserNone(_) | Event::BrowserFailed(_), Paste::AtOnce | Paste::IfNoBrowserOpens)
            | (Event::BrowserOpening, Paste::AtOnce)
            | (Event::Url(_), Paste::Alone) => self.begin(),
            _ => {}
        }
    }

    /// How the provider returns its response. One that it posts is in no address.
    ///
    /// # Errors
    /// Nothing but a paste could bring it.
    pub fn expects(&self, mode: ResponseMode) -> Result<(), Failure> {
        self.state().mode = mode;
        match (self.when, mode) {
            (Paste::Alone, ResponseMode::FormPost) => Err(Failure::new(
                Code::Usage,
                "--how paste: the provider posts its response (response_mode), so the address does not contain it",
            )
            .remedy("leave out --how paste")),
            _ => Ok(()),
        }
    }

    /// The terminal is as it was before.
    pub fn end(&self) {
        let input = self.state().input.take();
        if input.is_some() {
            self.talk.prompt_ends();
        }
    }

    fn redirect(&self, listener: &str, ends_at: &str) {
        self.state().redirect = Some((listener.to_owned(), ends_at.to_owned()));
    }

    /// If the terminal cannot be used so, the login waits for its listener as ever.
    fn begin(&self) {
        let mut state = self.state();
        let Some((listener, ends_at)) = state.redirect.clone().filter(|_| state.input.is_none()) else { return };
        let text = sign_in_from_elsewhere(self.elsewhere.as_ref(), state.mode, &listener, &ends_at);
        if state.mode == ResponseMode::FormPost {
            return self.talk.say(&report::Event::Step(&text));
        }
        let (handover, talk) = (self.handover.clone(), self.talk.clone());
        let input = HiddenInput::start(move |typed| match typed {
            Typed::Length(length) => talk.prompt_has(length),
            Typed::Text(address) => {
                talk.prompt_has(0);
                // A login that has ended needs no other answer.
                let _ = handover.give(address);
            }
        });
        match input {
            Ok(Some(input)) => {
                state.input = Some(input);
                self.talk.say(&report::Event::Step(&text));
                self.talk.prompt_begins();
            }
            Ok(None) => {}
            Err(error) => {
                let failure = Failure::new(Code::Internal, format!("nothing can be pasted here: {error}"));
                self.talk.say(&report::Event::Step(&failure.what));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
