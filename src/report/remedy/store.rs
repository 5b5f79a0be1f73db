//! What fixes a store that fails. Where the grant is known, a command that can be run as it stands.

use super::{command, login_command, of_grant};
use crate::{
    catalog::{IntegrationName, StoreKind},
    grants::GrantId,
    report::command_line::{quoted, typed_with},
    system::config_file::NOT_UTF8_BUT_UTF16,
    vault::{Exposure, StoreError},
};

/// The command that writes the store of an integration into the configuration.
pub(super) fn set(integration: &IntegrationName, kind: StoreKind) -> String {
    command(["integration", "set", integration.as_str(), "--store", kind.as_str()])
}

/// `None` where nothing but what happened is known.
pub(super) fn of(error: &StoreError, grant: Option<&GrantId>) -> Option<String> {
    let files = || match grant {
        Some(grant) => format!("keep tokens in encrypted files: {}", set(&grant.integration, StoreKind::File)),
        None => match typed_with(&["--store", StoreKind::File.as_str()]) {
            Some(command) => format!("use encrypted files: {command}"),
            None => "use encrypted files: --store file".into(),
        },
    };
    let text = match error {
        StoreError::Absent => format!("start a keychain (gnome-keyring, KeePassXC, KWallet), or {}", files()),
        StoreError::Busy { .. } => "try again in a moment".into(),
        StoreError::Damaged { .. } => match grant {
            Some(grant) => login_command(grant),
            None => "log in again: loopin login".into(),
        },
        StoreError::Exposed { path, why: Exposure::Mode { rights, .. } } => {
            format!("chmod {} '{}'", rights.chmod(), path.display())
        }
        StoreError::Exposed { path, why: Exposure::OtherOwner } => {
            let path = path.display();
            format!("check what is in it, then make it yours: sudo chown \"$(id -un)\" '{path}'")
        }
        StoreError::Exposed { path, .. } => format!("check who created it: ls -la '{}'", path.display()),
        StoreError::KeyFileMissing { .. } => match grant {
            Some(grant) => format!("put it back, or make a new one: {}", set(&grant.integration, StoreKind::File)),
            None => "put it back, or correct store_key in the configuration".into(),
        },
        StoreError::KeyNotDerived { .. } => {
            "raise the memory limit (ulimit -d, ulimit -v, LimitAS=), or use a key file: store_key = { file = \"...\" }"
                .into()
        }
        StoreError::Locked => format!("unlock it in the desktop's password program and try again, or {}", files()),
        StoreError::NetworkFileSystem { .. } => "set LOOPIN_STATE_DIR to a directory on a disk of this machine".into(),
        StoreError::Newer { .. } => "update loopin".into(),
        StoreError::NoKey => match grant {
            Some(grant) => format!("use a key file: {}", set(&grant.integration, StoreKind::File)),
            None => "run it on a terminal, or use a key file: store_key = { file = \"...\" }".into(),
        },
        StoreError::NoTerminal => match grant {
            Some(grant) => format!("run it on a terminal, or start over with a key file: {}", start_over(grant)),
            None => "run it on a terminal, or use a key file: store_key = { file = \"...\" }".into(),
        },
        StoreError::PassphrasesDiffer => "type the same passphrase twice".into(),
        StoreError::Silent { .. } => {
            format!("it may be waiting for an unlock dialog or hang; restart it, or {}", files())
        }
        StoreError::Unfaithful => format!("nothing is stored; repair the keychain, or {}", files()),
        StoreError::UnlockRefused => "try again and unlock it when the desktop asks".into(),
        StoreError::UnsafeBus => {
            format!("set DBUS_SESSION_BUS_ADDRESS to a unix: address, or {}", files())
        }
        StoreError::WrongKey => match grant {
            Some(grant) => format!(
                "check store_key in the configuration, or the passphrase; if the key is lost, start over: {}",
                start_over(grant)
            ),
            None => "check store_key in the configuration, or the passphrase".into(),
        },
        StoreError::File { path, why } if why == NOT_UTF8_BUT_UTF16 => {
            let path = quoted(&path.display().to_string());
            format!("save it as UTF-8: iconv -f UTF-16 -t UTF-8 {path} > loopin.utf8 && mv loopin.utf8 {path}")
        }
        StoreError::File { .. } | StoreError::Keychain(_) | StoreError::NoEntropy | StoreError::TooLarge => {
            return None;
        }
    };
    Some(text)
}

/// Forgets what the key does not open, and logs in again under a key file.
fn start_over(grant: &GrantId) -> String {
    let forget = command(of_grant("logout", grant).into_iter().chain(["--local"]));
    format!("{forget} && {} && {}", set(&grant.integration, StoreKind::File), login_command(grant))
}
