//! What a directory of private files refuses, on a real file system.
#![expect(clippy::let_underscore_must_use, reason = "a directory that cannot be removed is no failure of the test")]

use std::{
    fs,
    os::unix::fs::{DirBuilderExt, PermissionsExt, symlink},
};

use super::*;
use crate::vault::{Exposure, Rights};

/// Gone with the test.
struct Place {
    root: PathBuf,
    files: PrivateFiles,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn place() -> Place {
    let chance = u64::from_be_bytes(entropy::random().expect("chance"));
    let root = std::env::temp_dir().join(format!("loopin-private-files-{chance:016x}"));
    let path = root.join("state");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).expect("a directory");
    Place { root, files: PrivateFiles::at(path) }
}

type Change = fn(&PrivateFiles, &str) -> Result<(), StoreError>;

const CHANGES: [(&str, Change); 2] = [
    ("replace", |files, name| files.replace(name, b"ours")),
    ("overwrite", |files, name| files.overwrite(name, 0, b"ours")),
];

#[test]
fn what_is_replaced_is_read_and_a_missing_file_is_none() {
    let place = place();
    let files = &place.files;
    assert_eq!(Ok(None), files.read("grant"));
    files.replace("grant", b"one").expect("written");
    files.replace("grant", b"another").expect("written");
    assert_eq!(Ok(Some(b"another".to_vec())), files.read("grant"));
    assert_eq!(Ok(vec!["grant".to_owned()]), files.list(""), "no temporary file stays");
    let mode = fs::metadata(files.path().join("grant")).expect("a file").permissions().mode();
    assert_eq!(0o600, mode & 0o7777);
}

#[test]
fn overwriting_leaves_what_lies_before_and_behind() {
    let place = place();
    let files = &place.files;
    files.replace("journal", b"0123456789").expect("written");
    files.overwrite("journal", 4, b"ab").expect("written");
    assert_eq!(Ok(Some(b"0123ab6789".to_vec())), files.read("journal"));
    files.overwrite("journal", 8, b"cdef").expect("written");
    assert_eq!(Ok(Some(b"0123ab67cdef".to_vec())), files.read("journal"), "it may grow");
}

#[test]
fn overwriting_makes_no_file() {
    let place = place();
    let files = &place.files;
    assert!(files.overwrite("journal", 0, b"ours").is_err());
    assert_eq!(Ok(None), files.read("journal"));
}

#[test]
fn s12_nothing_is_written_through_a_link_of_either_kind() {
    for (what, change) in CHANGES {
        let place = place();
        let files = &place.files;
        let victim = place.root.join("victim");
        fs::write(&victim, "theirs").expect("a file");
        symlink(&victim, files.path().join("soft")).expect("a link");
        fs::hard_link(&victim, files.path().join("hard")).expect("a link");
        for (name, why) in [("soft", Exposure::Symlink), ("hard", Exposure::SeveralLinks)] {
            let path = files.path().join(name);
            assert_eq!(Err(StoreError::Exposed { path, why }), change(files, name), "{what} {name}");
        }
        assert_eq!("theirs", fs::read_to_string(&victim).expect("a file"), "{what}");
    }
}

#[test]
fn s11_a_file_that_others_may_read_is_neither_read_nor_written() {
    for (what, change) in CHANGES {
        let place = place();
        let files = &place.files;
        let path = files.path().join("grant");
        fs::write(&path, "before").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("its mode");
        let exposed =
            StoreError::Exposed { path: path.clone(), why: Exposure::Mode { mode: 0o640, rights: Rights::OwnerOnly } };
        assert_eq!(Err(exposed.clone()), change(files, "grant"), "{what}");
        assert_eq!(Err(exposed), files.read("grant"), "{what}");
        assert_eq!("before", fs::read_to_string(&path).expect("a file"), "{what}");
    }
}

#[test]
fn s12_a_pipe_in_the_place_of_a_file_holds_nobody() {
    for (what, change) in CHANGES {
        let place = place();
        let files = &place.files;
        let path = files.path().join("grant");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR).expect("a pipe");
        let exposed = StoreError::Exposed { path, why: Exposure::NotRegular };
        assert_eq!(Err(exposed.clone()), change(files, "grant"), "{what}");
        assert_eq!(Err(exposed), files.read("grant"), "{what}");
    }
}

#[test]
fn s11_a_directory_that_others_may_enter_is_not_used() {
    let place = place();
    let files = &place.files;
    fs::set_permissions(files.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
    let exposed = StoreError::Exposed {
        path: files.path().to_owned(),
        why: Exposure::Mode { mode: 0o755, rights: Rights::OwnerOnly },
    };
    assert_eq!(Err(exposed.clone()), files.read("grant"));
    for (what, change) in CHANGES {
        assert_eq!(Err(exposed.clone()), change(files, "grant"), "{what}");
    }
}
