//! No core dumps: they would contain the tokens, keys and codes in memory.
//!
//! The soft limit of their size is set to 0, so a crash writes no file. On Linux the process is also marked as not dumpable
//! (prctl(2), PR_SET_DUMPABLE): a crash handler receives nothing, and other processes of the same user cannot read its
//! memory. Commands that this program starts for the user get the old limit back; execve(2) makes them dumpable again.
#![deny(clippy::let_underscore_must_use)]

#[cfg(not(unix))]
pub use plain::{forbid, usual_limit};
#[cfg(unix)]
pub use unix::{forbid, usual_limit};

#[cfg(unix)]
mod unix {
    use std::{
        io,
        sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    };

    use nix::sys::resource::{Resource::RLIMIT_CORE, getrlimit, rlim_t, setrlimit};

    /// The limit with which this program was started: soft and hard, in bytes.
    static USUAL: OnceLock<(rlim_t, rlim_t)> = OnceLock::new();
    /// Held while a command is started: a limit belongs to the whole process.
    static STARTING: Mutex<()> = Mutex::new(());

    /// For this process, until it ends.
    ///
    /// # Errors
    /// The system refused; core dumps stay as they were.
    pub fn forbid() -> io::Result<()> {
        let (soft, hard) = getrlimit(RLIMIT_CORE)?;
        setrlimit(RLIMIT_CORE, 0, hard)?;
        // Only the first call finds the user's limit.
        USUAL.get_or_init(|| (soft, hard));
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_dumpable(false)?;
        Ok(())
    }

    /// Restores the limit with which this program was started, until the value is dropped. For starting a command.
    pub fn usual_limit() -> UsualLimit {
        let starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((soft, hard)) = USUAL.get() {
            set(*soft, *hard);
        }
        UsualLimit { _starting: starting }
    }

    /// Sets the limit to 0 again when it is dropped.
    pub struct UsualLimit {
        _starting: MutexGuard<'static, ()>,
    }

    impl Drop for UsualLimit {
        fn drop(&mut self) {
            if let Some((_, hard)) = USUAL.get() {
                set(0, *hard);
            }
        }
    }

    fn set(soft: rlim_t, hard: rlim_t) {
        #[expect(
            clippy::let_underscore_must_use,
            reason = "a soft limit can always be set up to the hard one, and on Linux the process is not dumpable either way"
        )]
        let _ = setrlimit(RLIMIT_CORE, soft, hard);
    }
}

#[cfg(not(unix))]
mod plain {
    /// There are no limits to set.
    ///
    /// # Errors
    /// None.
    pub fn forbid() -> std::io::Result<()> {
        Ok(())
    }

    pub struct UsualLimit;

    pub fn usual_limit() -> UsualLimit {
        UsualLimit
    }
}
