//! Texts that the user pastes into the terminal while something else goes on: not shown, and given up at any moment.
//!
//! A line of the terminal's own editing holds 4,095 bytes on Linux (termios(3)), less than an authorization response may
//! have, so bytes are read one by one.

mod keys;

use std::{
    io::{self, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use keys::{Input, Keys};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::termios::{self, LocalFlags, SetArg, SpecialCharacterIndices, Termios},
    unistd,
};

use super::{signal, terminal, uninterrupted::uninterrupted};
use crate::secret::Secret;

/// Lines of one paste arrive within this many milliseconds of each other.
const SAME_PASTE: u16 = 500;
/// How often it is looked whether the program is in the foreground again, in milliseconds.
const IN_THE_BACKGROUND: u16 = 300;
const BRACKETED_PASTE_ON: &[u8] = b"\x1b[?2004h";
const BRACKETED_PASTE_OFF: &[u8] = b"\x1b[?2004l";

/// What is heard of the user.
#[derive(Debug)]
pub enum Typed {
    /// So many characters are there, and Enter is awaited.
    Length(usize),
    Text(Secret),
}

/// The terminal, as long as texts are taken from it. Dropped, it is as it was before.
#[derive(Debug)]
pub struct HiddenInput {
    mode: Arc<Mode>,
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl HiddenInput {
    /// `heard` runs on a thread of its own. `None`: standard input is no terminal, or another program's.
    ///
    /// # Errors
    /// The terminal cannot be changed.
    pub fn start(heard: impl Fn(Typed) + Send + 'static) -> io::Result<Option<Self>> {
        if !terminal::stdin_is_terminal() || !is_in_the_foreground() {
            return Ok(None);
        }
        let (stop, stopped) = UnixStream::pair()?;
        let mode = Arc::new(Mode::new()?);
        mode.set();
        let (before, after) = (Arc::clone(&mode), Arc::clone(&mode));
        signal::around_a_stop(move || before.restore(), move || after.set());
        let in_use = Arc::clone(&mode);
        let thread = thread::spawn(move || read(&in_use, &stopped, &heard));
        Ok(Some(Self { mode, stop, thread: Some(thread) }))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        // The thread has ended by itself if nobody reads there.
        let _ = self.stop.write_all(b"x");
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.mode.end();
    }
}

/// Whether the terminal is changed, and how it was.
#[derive(Debug)]
struct Mode(Mutex<(State, Termios)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Usual,
    Hidden,
    /// It is not changed any more.
    Over,
}

impl Mode {
    fn new() -> io::Result<Self> {
        Ok(Self(Mutex::new((State::Usual, termios::tcgetattr(io::stdin())?))))
    }

    /// No echo and no lines. Signals of keys stay, so that Ctrl-C and Ctrl-Z do what they always do.
    fn set(&self) {
        let (state, usual) = &mut *self.state();
        // A program in the background that changes the terminal is stopped (SIGTTOU).
        if *state == State::Over || !is_in_the_foreground() {
            return;
        }
        let mut hidden = usual.clone();
        hidden.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON);
        hidden.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        hidden.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        if termios::tcsetattr(io::stdin(), SetArg::TCSANOW, &hidden).is_ok() {
            *state = State::Hidden;
            tell(BRACKETED_PASTE_ON);
        }
    }

    fn restore(&self) {
        let (state, usual) = &mut *self.state();
        if *state == State::Hidden && is_in_the_foreground() {
            tell(BRACKETED_PASTE_OFF);
            // What was typed too late is no command for the shell.
            if termios::tcsetattr(io::stdin(), SetArg::TCSAFLUSH, usual).is_ok() {
                *state = State::Usual;
            }
        }
    }

    fn end(&self) {
        self.restore();
        self.state().0 = State::Over;
    }

    fn state(&self) -> MutexGuard<'_, (State, Termios)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(sequence: &[u8]) {
    if terminal::can_redraw() {
        // A terminal that is gone needs no mode.
        let _ = io::stderr().write_all(sequence);
    }
}

fn is_in_the_foreground() -> bool {
    unistd::tcgetpgrp(io::stdin()).is_ok_and(|group| group == unistd::getpgrp())
}

fn read(mode: &Mode, stopped: &UnixStream, heard: &impl Fn(Typed)) {
    let stdin = io::stdin();
    let mut keys = Keys::default();
    let mut bytes = [0; 4096];
    let mut line = Line::Open;
    loop {
        let patience = match line {
            Line::Ended => PollTimeout::from(SAME_PASTE),
            Line::Open if is_in_the_foreground() => PollTimeout::NONE,
            Line::Open => PollTimeout::from(IN_THE_BACKGROUND),
        };
        let sources: &[BorrowedFd<'_>] =
            if is_in_the_foreground() { &[stopped.as_fd(), stdin.as_fd()] } else { &[stopped.as_fd()] };
        match readable(sources, patience) {
            Ready::Stopped | Ready::Failed => return,
            Ready::Nothing if line == Line::Ended => {
                line = Line::Open;
                complete(keys.take(), heard);
            }
            Ready::Nothing => mode.set(),
            Ready::Typed => {
                let Ok(length) = uninterrupted(|| unistd::read(&stdin, &mut bytes).map_err(io::Error::from)) else {
                    return;
                };
                if length == 0 {
                    return;
                }
                line = Line::Open;
                for byte in &bytes[..length] {
                    match keys.push(*byte) {
                        Some(Input::End) => return,
                        Some(Input::Line) => line = Line::Ended,
                        Some(Input::Text(text)) => complete(text, heard),
                        None => {}
                    }
                }
                heard(Typed::Length(keys.len()));
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    /// Unless more arrives at once.
    Ended,
}

enum Ready {
    Failed,
    Nothing,
    Stopped,
    Typed,
}

fn readable(sources: &[BorrowedFd<'_>], patience: PollTimeout) -> Ready {
    let mut polled: Vec<_> = sources.iter().map(|source| PollFd::new(*source, PollFlags::POLLIN)).collect();
    match uninterrupted(|| poll(&mut polled, patience).map_err(io::Error::from)) {
        Err(_) => Ready::Failed,
        Ok(0) => Ready::Nothing,
        Ok(_) if polled[0].any().unwrap_or(true) => Ready::Stopped,
        Ok(_) => Ready::Typed,
    }
}

/// An Enter alone says nothing.
fn complete(text: Vec<u8>, heard: &impl Fn(Typed)) {
    let text = String::from_utf8_lossy(&text);
    if !text.trim().is_empty() {
        heard(Typed::Text(Secret::new(text.into_owned())));
    }
}
