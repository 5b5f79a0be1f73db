//! Errors of stores.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Why a store operation failed. `report` adds the fix; the exit code is always 8.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No session bus, or no keychain on it.
    #[error("no keychain here (no Secret Service answers on the session bus)")]
    Absent,
    /// The stored grant cannot be read. If it is a file, it was renamed.
    /// The stored grant cannot be read.
    #[error("the stored grant is damaged{}", kept(.kept_as.as_deref()))]
    Damaged { kept_as: Option<PathBuf> },
    /// The file is readable by others, a link, or not a regular file of this user.
    #[error("{} {why}", .path.display())]
    Exposed {
        /// The unsafe file.
        path: PathBuf,
        /// What is unsafe about it.
        #[source]
        why: Exposure,
    },
    /// A file operation failed; `why` is the system's text.
    #[error("{}: {why}", .path.display())]
    File { path: PathBuf, why: String },
    /// The configured key file of the file store is not there.
    #[error("{}: no such file, and it is the key of the file store", .path.display())]
    KeyFileMissing { path: PathBuf },
    /// The passphrase could not be turned into a key, usually for lack of memory. Nothing was encrypted or decrypted.
    #[error(
        "the file store's key could not be derived from the passphrase, which needs {mebibytes} MiB of memory: {why}"
    )]
    KeyNotDerived { mebibytes: u32, why: String },
    /// The keychain's own text, cleaned for printing.
    #[error("the keychain failed: {0}")]
    Keychain(String),
    /// The keychain is locked.
    #[error("the keychain is locked")]
    Locked,
    /// Kernel locks do not work between machines that share such a directory.
    #[error("{} is on NFS, where another machine could refresh the same grant at once", .path.display())]
    NetworkFileSystem { path: PathBuf },
    /// Another program holds the lock of this grant.
    #[error("another loopin{} holds this grant", process(*.holder))]
    Busy {
        /// Its process id, if known.
        holder: Option<u32>,
    },
    /// A newer version wrote it, so it is never overwritten.
    /// A newer version wrote the grant.
    #[error("the stored grant was made by a newer loopin (format {version})")]
    Newer { version: u64 },
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes")]
    NoEntropy,
    /// Something is to be sealed, no key file is configured, and there is no terminal for a new passphrase.
    #[error("the file store has no key file yet, and there is no terminal to ask for a passphrase on")]
    NoKey,
    /// A passphrase is needed, and there is no terminal.
    #[error("the file store needs its passphrase, and there is no terminal to ask on")]
    NoTerminal,
    /// A new passphrase was mistyped.
    #[error("the two passphrases are not the same")]
    PassphrasesDiffer,
    /// The deadline passed.
    #[error("the keychain did not answer within {} s", .after.as_secs())]
    Silent { after: Duration },
    /// The item is larger than the keychain allows.
    #[error("the keychain refuses an item of this size")]
    TooLarge,
    /// The read-back content differs from what was written.
    #[error("the keychain did not keep the secret: what was written is not what is read back")]
    Unfaithful,
    /// The user or the system refused to unlock the keychain.
    #[error("unlocking the keychain was refused")]
    UnlockRefused,
    /// The session bus is not a socket of this machine.
    #[error("the session bus is not a socket of this machine, and secrets would cross it in clear")]
    UnsafeBus,
    /// The file store has another key.
    #[error("the key does not open the file store")]
    WrongKey,
}

/// Why a file is not safe to use; the text follows its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Exposure {
    /// Group or others have more rights than they may have.
    #[error("can be {} by others (mode {mode:o})", .rights.danger())]
    Mode { mode: u32, rights: Rights },
    /// It is no regular file, or its directory is none.
    #[error("is not what it should be (a regular file in a real directory)")]
    NotRegular,
    /// It belongs to another user.
    #[error("belongs to another user")]
    OtherOwner,
    /// It has a second name (hard link).
    #[error("has a second name (hard link)")]
    SeveralLinks,
    /// It is a symbolic link.
    #[error("is a symbolic link")]
    Symlink,
}

/// Which rights of group and others a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rights {
    /// Everybody may read it.
    AllRead,
    /// As `AllRead`, and the owner's own group may write it.
    GroupWrites,
    /// Owned by root: the group of a service may read it.
    GroupReads,
    /// Only its owner may read it.
    OwnerOnly,
}

impl Rights {
    /// The mode bits that must not be set.
    fn forbidden(self) -> u32 {
        match self {
            Self::AllRead => 0o022,
            Self::GroupWrites => 0o002,
            Self::GroupReads => 0o037,
            Self::OwnerOnly => 0o077,
        }
    }

    /// Whether a mode gives more rights than allowed.
    pub fn exceeded_by(self, mode: u32) -> bool {
        mode & self.forbidden() != 0
    }

    /// The argument for chmod(1) that removes the forbidden rights.
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
    /// Whether every other item would get the same answer, after another wait or another dialog.
    pub fn is_of_the_whole_store(&self) -> bool {
        matches!(self, Self::Absent | Self::Locked | Self::Silent { .. } | Self::UnlockRefused | Self::UnsafeBus)
    }
}

fn process(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

fn kept(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| format!("; it was kept as {}", path.display()))
}
