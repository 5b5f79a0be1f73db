//! Handlers of signals, for the program: a library leaves them to the program that links it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Signal;

#[cfg(unix)]
impl Signal {
    /// The signal with this number, if it is one of the three.
    fn named(number: i32) -> Self {
        match number {
            signal_hook::consts::SIGHUP => Self::Hangup,
            signal_hook::consts::SIGINT => Self::Interrupt,
            _ => Self::Terminate,
        }
    }
}

/// A signal ends the program until this is disarmed.
#[must_use]
pub struct Armed(Arc<Mutex<Effect>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Ends,
    None,
}

impl Armed {
    /// The result is decided: from now on a signal changes nothing and prints nothing.
    pub fn disarm(&self) {
        *lock(&self.0) = Effect::None;
    }
}

/// From now on such a signal ends the program with the exit code that `farewell` returns. `farewell` runs on a thread
/// of its own, so that nothing blocks it. On other systems the default behavior stays.
#[cfg(unix)]
pub fn end_on(farewell: impl Fn(Signal) -> u8 + Send + 'static) -> Armed {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };
    let effect = Arc::new(Mutex::new(Effect::Ends));
    let armed = Armed(Arc::clone(&effect));
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return armed };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // Locked to the end, so that no other thread decides otherwise.
            let effect = lock(&effect);
            if *effect == Effect::None {
                continue;
            }
            let code = farewell(Signal::named(signal));
            #[expect(
                clippy::exit,
                clippy::disallowed_methods,
                reason = "the main thread may be waiting for a provider"
            )]
            std::process::exit(code.into());
        }
    });
    armed
}

/// From now on such a signal only calls `notice`, on a thread of its own. On other systems the default behavior stays.
#[cfg(unix)]
pub fn notice_on(notice: impl Fn(Signal) + Send + 'static) {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };
    let Ok(mut signals) = Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || signals.forever().for_each(|signal| notice(Signal::named(signal))));
}

/// When the user suspends the program (Ctrl-Z) `before` runs first, and `after` when it is continued. Both run on a thread
/// of their own.
#[cfg(unix)]
pub fn around_a_stop(before: impl Fn() + Send + 'static, after: impl Fn() + Send + 'static) {
    use signal_hook::{
        consts::{SIGCONT, SIGTSTP},
        iterator::Signals,
        low_level::emulate_default_handler,
    };
    let Ok(mut signals) = Signals::new([SIGCONT, SIGTSTP]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGTSTP => {
                    before();
                    // It cannot fail for a signal that stops. If it did, the program would go on.
                    if emulate_default_handler(SIGTSTP).is_err() {
                        after();
                    }
                }
                _ => after(),
            }
        }
    });
}

#[cfg(not(unix))]
pub fn notice_on(_: impl Fn(Signal) + Send + 'static) {}

#[cfg(not(unix))]
pub fn end_on(_: impl Fn(Signal) -> u8 + Send + 'static) -> Armed {
    Armed(Arc::new(Mutex::new(Effect::Ends)))
}

fn lock(effect: &Mutex<Effect>) -> MutexGuard<'_, Effect> {
    effect.lock().unwrap_or_else(PoisonError::into_inner)
}
