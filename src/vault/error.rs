//! What can go wrong with a store, each with its own words.

use std::{fmt, path::PathBuf, time::Duration};

/// Why a store did not do what was asked. `report.rs` adds the remedy; all of these exit with 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// There is no keychain here: no session bus, or nobody on it offers one.
    Absent,
    /// What was stored cannot be read any more; the file, if it is one, was put aside.
    Damaged {
        kept_as: Option<PathBuf>,
    },
    /// A file that others may read, a link, or not a regular file of ours.
    Exposed {
        path: PathBuf,
        why: Exposure,
    },
    File {
        path: PathBuf,
        why: String,
    },
    /// The passphrase did not become a key, most often for want of memory. Nothing was sealed or opened.
    KeyNotDerived {
        mebibytes: u32,
        why: String,
    },
    /// The keychain's own words, made fit to print.
    Keychain(String),
    Locked,
    /// Locks of the kernel do not hold between the machines that share such a directory.
    NetworkFileSystem {
        path: PathBuf,
    },
    /// Another program holds the lock of this grant.
    Busy {
        /// Its process, as far as it is known.
        holder: Option<u32>,
    },
    /// Made by a newer program: never overwritten.
    Newer {
        version: u64,
    },
    /// The operating system returned no random bytes.
    NoEntropy,
    /// A passphrase is needed, and there is no terminal to ask on.
    NoTerminal,
    /// No answer within the deadline.
    Silent {
        after: Duration,
    },
    TooLarge,
    /// What was written is not what is read back.
    Unfaithful,
    UnlockRefused,
    /// The session bus is not a socket of this machine.
    UnsafeBus,
    WrongKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Group or others have more rights than they may have.
    Mode {
        mode: u32,
        rights: Rights,
    },
    NotRegular,
    OtherOwner,
    SeveralLinks,
    Symlink,
}

/// Which rights of group and others a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Everybody may read it.
    AllRead,
    /// As above, and the owner's own group may write it.
    GroupWrites,
    /// Root's file: the group of a service may read it.
    GroupReads,
    OwnerOnly,
}

impl Rights {
    /// Bits of a mode that must not be set.
    fn forbidden(self) -> u32 {
        match self {
            Self::AllRead => 0o022,
            Self::GroupWrites => 0o002,
            Self::GroupReads => 0o037,
            Self::OwnerOnly => 0o077,
        }
    }

    pub fn exceeded_by(self, mode: u32) -> bool {
        mode & self.forbidden() != 0
    }

    /// For chmod(1): takes away what is too much.
    pub fn chmod(self) -> &'static str {
        match self {
            Self::AllRead => "go-w",
            Self::GroupWrites => "o-w",
            Self::GroupReads => "g-wx,o-rwx",
            Self::OwnerOnly => "go-rwx",
        }
    }

    /// What others could do.
    fn danger(self) -> &'static str {
        match self {
            Self::AllRead | Self::GroupWrites => "changed",
            Self::GroupReads | Self::OwnerOnly => "read or changed",
        }
    }
}

impl StoreError {
    /// Whether another item would be answered the same, after as long a wait or another dialog.
    pub fn is_of_the_whole_store(&self) -> bool {
        matches!(self, Self::Absent | Self::Locked | Self::Silent { .. } | Self::UnlockRefused | Self::UnsafeBus)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no keychain here (no Secret Service answers on the session bus)"),
            Self::Busy { holder: Some(pid) } => write!(f, "another loopin (pid {pid}) holds this grant"),
            Self::Busy { holder: None } => f.write_str("another loopin holds this grant"),
            Self::Damaged { kept_as: Some(path) } => {
                write!(f, "the stored grant is damaged; it was kept as {}", path.display())
            }
            Self::Damaged { kept_as: None } => f.write_str("the stored grant is damaged"),
            Self::Exposed { path, why } => {
                let path = path.display();
                match why {
                    Exposure::Mode { mode, rights } => {
                        write!(f, "{path} can be {} by others (mode {mode:o})", rights.danger())
                    }
                    Exposure::NotRegular => {
                        write!(f, "{path} is not what it should be (a regular file in a real directory)")
                    }
                    Exposure::OtherOwner => write!(f, "{path} belongs to another user"),
                    Exposure::SeveralLinks => write!(f, "{path} has a second name (hard link)"),
                    Exposure::Symlink => write!(f, "{path} is a symbolic link"),
                }
            }
            Self::File { path, why } => write!(f, "{}: {why}", path.display()),
            Self::KeyNotDerived { mebibytes, why } => write!(
                f,
                "the file store's key could not be derived from the passphrase, which needs {mebibytes} MiB of memory: {why}"
            ),
            Self::Keychain(why) => write!(f, "the keychain failed: {why}"),
            Self::Locked => f.write_str("the keychain is locked"),
            Self::NetworkFileSystem { path } => {
                write!(f, "{} is on NFS, where another machine could refresh the same grant at once", path.display())
            }
            Self::Newer { version } => write!(f, "the stored grant was made by a newer loopin (format {version})"),
            Self::NoEntropy => f.write_str("the operating system returned no random bytes"),
            Self::NoTerminal => f.write_str("the file store needs its passphrase, and there is no terminal to ask on"),
            Self::Silent { after } => write!(f, "the keychain did not answer within {} s", after.as_secs()),
            Self::TooLarge => f.write_str("the keychain refuses an item of this size"),
            Self::Unfaithful => {
                f.write_str("the keychain did not keep the secret: what was written is not what is read back")
            }
            Self::UnlockRefused => f.write_str("unlocking the keychain was refused"),
            Self::UnsafeBus => {
                f.write_str("the session bus is not a socket of this machine, and secrets would cross it in clear")
            }
            Self::WrongKey => f.write_str("the key does not open the file store"),
        }
    }
}

impl std::error::Error for StoreError {}
