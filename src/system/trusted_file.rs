//! Files that are read for their authority: a configuration, and the secrets and certificates that it names.
//!
//! Somebody who can write such a file decides where codes and tokens go; somebody who can read a secret has it. On Unix
//! one rule holds for all of them: the owner is the user or root, others cannot write them, and others cannot read a
//! secret. Links are followed, because configuration managers and Kubernetes provide files through links. The opened
//! file is checked, so nothing can be swapped between check and use. On other systems the access rights of the profile
//! directory protect these files. Files in the state directory have a stricter rule (`private_files.rs`).
#![deny(clippy::let_underscore_must_use)]

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    path::Path,
};

use crate::vault::StoreError;

/// Largest file that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The reason for a file that does not exist.
pub const MISSING: &str = "no such file";

/// The content decides who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A configuration or a certificate: anybody may read it.
    Public,
    /// A key, a client secret, a shared secret.
    Secret,
}

/// Reads a file that must exist.
///
/// # Errors
/// The file is missing, unreadable or too large, or others have rights that they must not have.
pub fn read(path: &Path, content: Content) -> Result<Vec<u8>, StoreError> {
    read_if_present(path, content)?.ok_or_else(|| failed(path, MISSING))
}

/// Reads a file if it exists.
///
/// # Errors
/// As [`read`], except for a missing file.
pub fn read_if_present(path: &Path, content: Content) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match options(content).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, error.kind())),
    };
    judge(&file, path, content)?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(path, error.kind()))?;
    match bytes.len() as u64 > LONGEST {
        true => Err(failed(path, "larger than 4 MiB")),
        false => Ok(Some(bytes)),
    }
}

fn failed(path: &Path, why: impl ToString) -> StoreError {
    StoreError::File { path: path.to_owned(), why: why.to_string() }
}

#[cfg(unix)]
pub use unix::home_owner;
#[cfg(unix)]
use unix::{judge, options};

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

    use nix::{
        fcntl::OFlag,
        unistd::{Gid, Group, Uid, User, geteuid},
    };

    use super::{Content, File, OpenOptions, Path, StoreError, failed};
    use crate::{
        system::environment,
        vault::{Exposure, Rights},
    };

    pub fn options(content: Content) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true);
        if content == Content::Secret {
            // Opening a pipe instead of a secret must not block. A configuration may come through a pipe.
            options.custom_flags(OFlag::O_NONBLOCK.bits());
        }
        options
    }

    pub fn judge(file: &File, path: &Path, content: Content) -> Result<(), StoreError> {
        let exposed = |why| Err(StoreError::Exposed { path: path.to_owned(), why });
        let metadata = file.metadata().map_err(|error| failed(path, error.kind()))?;
        if content == Content::Secret && !metadata.is_file() {
            return exposed(Exposure::NotRegular);
        }
        if content == Content::Secret && metadata.nlink() > 1 {
            return exposed(Exposure::SeveralLinks);
        }
        let owner = Uid::from_raw(metadata.uid());
        if content == Content::Public && owner.is_root() && metadata.file_type().is_char_device() {
            // /dev/null is an empty configuration; what others write to it is never read.
            return Ok(());
        }
        if !is_owned_by_us(owner) {
            return exposed(Exposure::OtherOwner);
        }
        let mode = metadata.mode() & 0o7777;
        let rights = match content {
            Content::Secret if owner.is_root() => Rights::GroupReads,
            Content::Secret => Rights::OwnerOnly,
            // Looked up only if it matters: group membership may come from a directory server.
            Content::Public if mode & 0o020 != 0 && is_private_group(Gid::from_raw(metadata.gid()), owner) => {
                Rights::GroupWrites
            }
            Content::Public => Rights::AllRead,
        };
        match rights.exceeded_by(mode) {
            true => exposed(Exposure::Mode { mode, rights }),
            false => Ok(()),
        }
    }

    /// The user, root, or the user on whose behalf root runs this program (`sudo` with HOME kept).
    fn is_owned_by_us(owner: Uid) -> bool {
        owner == geteuid() || owner.is_root() || home_owner() == Some(owner)
    }

    /// The owner of HOME, if root runs this program with the HOME of another user. Files there stay that user's.
    pub fn home_owner() -> Option<Uid> {
        if !geteuid().is_root() {
            return None;
        }
        let home = std::fs::metadata(environment::path("HOME")?).ok()?;
        Some(Uid::from_raw(home.uid())).filter(|owner| !owner.is_root())
    }

    /// Whether a group is the owner's private group: Linux distributions create one for each user, with the user's name and
    /// no other member.
    fn is_private_group(group: Gid, owner: Uid) -> bool {
        let (Ok(Some(user)), Ok(Some(group))) = (User::from_uid(owner), Group::from_gid(group)) else { return false };
        user.gid == group.gid && user.name == group.name && group.mem.iter().all(|member| *member == user.name)
    }
}

#[cfg(not(unix))]
fn options(_: Content) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

#[cfg(not(unix))]
fn judge(_: &File, _: &Path, _: Content) -> Result<(), StoreError> {
    Ok(())
}
