//! Files that are read for their authority: who may own, write and read them, and what becomes of them when they are
//! written. H09, H11.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::harness::{Finished, RawServer, Sandbox, TOKENS, tell, write_private};

mod sudo;

const NOBODY: u32 = 65534;

const ADD: [&str; 9] =
    ["integration", "add", "work", "--issuer", "https://op.example", "--client-id", "me", "--store", "file"];

const TABLE: &str = "[integration.work]\nissuer = \"https://op.example\"\nclient_id = \"me\"\n";

const RELAY: &str = "listen = \"127.0.0.1:0\"\n\n[[route]]\nenvironment = \"production\"\nhost = \"acme.example\"\n\
                     path = \"/callback\"\ntarget = \"https://app.example.com/callback\"\n";

/// Paths begin beside the file.
const SERVICE: &str = r#"
[server]
public_url = "https://connect.example.com"
listen = "127.0.0.1:0"
[store]
url = "sqlite:///nonexistent/loopin.db"
[keys]
current = "k1"
k1 = { file = "k1" }
[[jwt]]
issuer = "https://id.example.com"
audience = "loopin"
hs256 = { file = "secrets/hs256" }
org = "org_id"
[callbacks]
allow = ["https://app.example.com/oauth/"]
[integration.wiki]
authorization_endpoint = "https://wiki.example.com/authorize"
token_endpoint = "https://wiki.example.com/token"
client_id = "me"
client_secret = { file = "secrets/wiki" }
"#;

const SECRETS: [&str; 3] = ["k1", "secrets/hs256", "secrets/wiki"];

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        tell("skipped: only root can give files to other users");
    }
    root
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

/// The program as another user of this machine runs it.
fn of_nobody(sandbox: &Sandbox, arguments: &[&str]) -> Finished {
    let line = format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"$@\"");
    Finished::new(sandbox.shell(&line, arguments).output().expect("sh"))
}

fn add_under(sandbox: &Sandbox, umask: &str) -> Finished {
    Finished::new(sandbox.shell(&format!("umask {umask}; exec \"$@\""), &ADD).output().expect("sh"))
}

/// A service with a key, a shared secret and a client secret.
fn service() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("secrets")).expect("directory");
    write_private(&sandbox.path("loopin.toml"), SERVICE.as_bytes());
    for name in SECRETS {
        write_private(&sandbox.path(name), b"0123456789abcdef0123456789abcdef");
    }
    let config = sandbox.path("loopin.toml").to_str().expect("path").to_owned();
    (sandbox, config)
}

/// Every command that reads a configuration, and the file that it reads.
fn readers(sandbox: &Sandbox) -> [(PathBuf, Vec<String>); 3] {
    let named = |name: &str, verb: &[&str]| {
        let path = sandbox.path(name);
        let option = ["--config", path.to_str().expect("path")];
        let arguments = verb.iter().chain(&option).map(|word| (*word).to_owned()).collect();
        (path, arguments)
    };
    write_private(&sandbox.path("config.toml"), TABLE.as_bytes());
    write_private(&sandbox.path("relay.toml"), RELAY.as_bytes());
    [
        named("config.toml", &["integration", "list"]),
        named("relay.toml", &["relay", "export", "nginx"]),
        named("loopin.toml", &["serve", "check"]),
    ]
}

fn run(sandbox: &Sandbox, arguments: &[String]) -> Finished {
    sandbox.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn h09_a_new_configuration_is_for_its_owner_alone_whatever_the_umask() {
    for umask in ["000", "002", "022", "077"] {
        let sandbox = Sandbox::new();
        let directory = sandbox.path("home/.config/loopin");
        let mut command = sandbox.shell(&format!("umask {umask}; exec \"$@\""), &ADD);
        Finished::new(command.env_remove("LOOPIN_CONFIG").output().expect("sh")).assert_code(0);
        for (path, right) in [("", 0o700), ("config.toml", 0o600), ("store.key", 0o600)] {
            assert_eq!(right, mode(&directory.join(path)), "{path}, umask {umask}");
        }
    }
}

#[test]
fn h09_a_configuration_that_is_written_keeps_its_mode_and_its_owner() {
    for umask in ["000", "002", "077"] {
        for right in [0o400, 0o600, 0o640, 0o644] {
            let sandbox = Sandbox::new();
            sandbox.configure("# mine\n");
            set_mode(&sandbox.config(), right);
            add_under(&sandbox, umask).assert_code(0);
            assert_eq!(right, mode(&sandbox.config()), "umask {umask}");
            sandbox.run(&["integration", "remove", "work"]).assert_code(0);
            assert_eq!(right, mode(&sandbox.config()), "umask {umask}");
        }
    }
}

#[test]
fn h09_a_configuration_that_others_can_change_is_refused_with_the_chmod() {
    let (sandbox, _) = service();
    for (path, arguments) in readers(&sandbox) {
        for wide in [0o602, 0o646, 0o666, 0o622] {
            set_mode(&path, wide);
            if is_root() && wide & 0o020 != 0 {
                // A group with other users in it.
                chown(&path, None, Some(NOBODY)).expect("chown");
            }
            let refused = run(&sandbox, &arguments);
            refused.assert_code(3).assert_says(&format!("{} can be changed by others (mode {wide:o})", path.display()));
            let remedy = refused.stderr.split("→ ").nth(1).expect("a remedy").trim().to_owned();
            assert!(remedy.starts_with("chmod ") && remedy.ends_with(&format!("'{}'", path.display())), "{remedy}");
            assert!(Command::new("sh").args(["-c", &remedy]).status().expect("sh").success());
            run(&sandbox, &arguments).assert_code(0);
        }
    }
}

#[test]
fn h09_a_configuration_that_only_the_owners_own_group_can_change_is_read() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.configure("# as umask 002 makes it\n");
    chown(sandbox.config(), Some(0), Some(0)).expect("chown");
    set_mode(&sandbox.config(), 0o664);
    add_under(&sandbox, "002").assert_code(0);
    sandbox.run(&["integration", "list"]).assert_code(0).assert_says("work");
    assert_eq!(0o664, mode(&sandbox.config()));
    chown(sandbox.config(), Some(0), Some(NOBODY)).expect("chown");
    sandbox.run(&["integration", "list"]).assert_code(3).assert_says("chmod go-w");
}

#[test]
fn h09_a_configuration_of_another_user_is_refused_with_the_chown_and_one_of_root_is_read() {
    if !is_root() {
        return;
    }
    let (sandbox, _) = service();
    for (path, arguments) in readers(&sandbox) {
        chown(&path, Some(NOBODY), None).expect("chown");
        run(&sandbox, &arguments)
            .assert_code(3)
            .assert_says(&format!("{} belongs to another user", path.display()))
            .assert_says(&format!("sudo chown \"$(id -un)\" '{}'", path.display()));
        chown(&path, Some(0), None).expect("chown");
    }
    sandbox.configure(TABLE);
    set_mode(&sandbox.config(), 0o644);
    of_nobody(&sandbox, &["integration", "list"]).assert_code(0).assert_says("work");
    // Root's file would become the user's.
    let before = fs::read(sandbox.config()).expect("file");
    chown(sandbox.path(""), Some(NOBODY), None).expect("chown");
    let other = ["integration", "add", "other", "--issuer", "https://op.example", "--client-id", "me"];
    of_nobody(&sandbox, &other).assert_code(3).assert_says("belongs to another user");
    assert_eq!(
        (before, 0),
        (fs::read(sandbox.config()).expect("file"), fs::metadata(sandbox.config()).expect("file").uid())
    );
    let left = fs::read_dir(sandbox.path("")).expect("directory").flatten().map(|entry| entry.file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "no temporary file is left");
}

#[test]
fn h09_a_service_reads_secrets_that_root_shares_with_its_group() {
    if !is_root() {
        return;
    }
    let (sandbox, config) = service();
    let check = || of_nobody(&sandbox, &["serve", "check", "--config", &config]);
    set_mode(&sandbox.path("loopin.toml"), 0o644);
    for name in SECRETS {
        chown(sandbox.path(name), Some(0), Some(NOBODY)).expect("chown");
        set_mode(&sandbox.path(name), 0o640);
    }
    check().assert_code(0);
    for name in SECRETS {
        let path = sandbox.path(name);
        for wide in [0o644, 0o660, 0o642] {
            set_mode(&path, wide);
            let refused = check();
            refused.assert_code(3).assert_says(&format!("can be read or changed by others (mode {wide:o})"));
            refused.assert_says(&format!("chmod g-wx,o-rwx '{}'", path.display()));
        }
        // The service's own file has no reason to be readable by its group.
        chown(&path, Some(NOBODY), None).expect("chown");
        set_mode(&path, 0o640);
        check().assert_code(3).assert_says(&format!("chmod go-rwx '{}'", path.display()));
        chown(&path, Some(1), None).expect("chown");
        check().assert_code(3).assert_says("belongs to another user");
        chown(&path, Some(0), None).expect("chown");
    }
    check().assert_code(0);
}

#[test]
fn h09_links_are_followed_and_the_file_at_their_end_is_judged() {
    let (sandbox, config) = service();
    // As Kubernetes mounts a secret: file -> ..data/file, ..data -> a directory that is swapped at once.
    let tree = sandbox.path("secrets");
    for version in ["..2026_11_01", "..2026_11_26"] {
        fs::create_dir(tree.join(version)).expect("directory");
        for name in ["hs256", "wiki"] {
            write_private(&tree.join(version).join(name), b"0123456789abcdef0123456789abcdef");
        }
    }
    for name in ["hs256", "wiki"] {
        fs::remove_file(tree.join(name)).expect("removed");
        symlink(Path::new("..data").join(name), tree.join(name)).expect("link");
    }
    let swap = |version: &str| {
        symlink(version, tree.join("..data_tmp")).expect("link");
        fs::rename(tree.join("..data_tmp"), tree.join("..data")).expect("swapped");
    };
    swap("..2026_11_01");
    let check = || sandbox.run(&["serve", "check", "--config", &config]);
    check().assert_code(0);
    set_mode(&tree.join("..2026_11_26/wiki"), 0o644);
    swap("..2026_11_26");
    check().assert_code(3).assert_says("secrets/wiki can be read or changed by others (mode 644)");
    set_mode(&tree.join("..2026_11_26/wiki"), 0o400);
    check().assert_code(0);

    // A configuration is linked to by people, too.
    let dotfile = sandbox.path("dotfile");
    fs::rename(&config, &dotfile).expect("renamed");
    symlink(&dotfile, &config).expect("link");
    check().assert_code(0);
    set_mode(&dotfile, 0o606);
    check().assert_code(3).assert_says("can be changed by others");
}

#[test]
fn h09_a_configuration_may_come_from_a_pipe_or_be_empty() {
    let sandbox = Sandbox::new();
    let line = format!("printf '{TABLE}' | \"$@\"");
    let piped = ["integration", "list", "--config", "/dev/stdin"];
    Finished::new(sandbox.shell(&line, &piped).output().expect("sh")).assert_code(0).assert_says("work");
    sandbox.run(&["integration", "list", "--config", "/dev/null"]).assert_code(0).assert_says("no integrations yet");
}

#[test]
fn h11_a_store_key_is_found_whatever_the_working_directory() {
    let sandbox = Sandbox::new();
    let server = RawServer::json(200, TOKENS);
    let (authorize, token) = (format!("{}/authorize", server.origin), format!("{}/token", server.origin));
    let run_in = |directory: &str, arguments: &[&str]| {
        let mut command = sandbox.loopin(arguments);
        command.current_dir(sandbox.path(directory));
        command
    };
    fs::create_dir(sandbox.path("here")).expect("directory");
    fs::create_dir(sandbox.path("there")).expect("directory");
    let mut add = vec!["integration", "add", "work", "--config", "mine.toml", "--store", "file", "--client-id", "me"];
    add.extend(["--authorization-endpoint", &authorize, "--token-endpoint", &token]);
    Finished::new(run_in("here", &add).output().expect("runs")).assert_code(0);
    let key = sandbox.path("here/store.key");
    let written = fs::read_to_string(sandbox.path("here/mine.toml")).expect("configuration");
    assert!(written.contains(&format!("store_key = {{ file = \"{}\" }}", key.display())), "{written}");
    assert!(key.exists());
    let login = ["login", "work", "--config", "../here/mine.toml"];
    crate::harness::Login::whole(run_in("there", &login)).assert_code(0);
    let token = ["token", "work", "--config", "../here/mine.toml"];
    Finished::new(run_in("there", &token).output().expect("runs")).assert_code(0);

    // Written by hand as a relative path, it begins beside the file.
    fs::write(sandbox.path("here/mine.toml"), written.replace(key.to_str().expect("path"), "store.key"))
        .expect("written");
    Finished::new(run_in("there", &token).output().expect("runs")).assert_code(0);
    let remove = ["integration", "remove", "work", "--config", "../here/mine.toml"];
    Finished::new(run_in("there", &["logout", "work", "--config", "../here/mine.toml"]).output().expect("runs"))
        .assert_code(0);
    Finished::new(run_in("there", &remove).output().expect("runs")).assert_code(0);
}

#[test]
fn h11_relative_paths_begin_beside_the_configuration_that_names_them() {
    let (sandbox, config) = service();
    let mut elsewhere = sandbox.loopin(&["serve", "check", "--config", &config]);
    Finished::new(elsewhere.current_dir("/").output().expect("runs")).assert_code(0);
    let named = ["login", "work", "--config", "config.toml"];
    let table = format!("{TABLE}client_secret = {{ file = \"no/secret\" }}\n").replace("issuer = \"https://op.example\"", "authorization_endpoint = \"https://op.example/a\"\ntoken_endpoint = \"https://op.example/t\"\nstore = \"file\"\nstore_key = { file = \"k1\" }");
    sandbox.configure(&table);
    let mut here = sandbox.loopin(&named);
    let refused = Finished::new(here.current_dir(sandbox.path("")).output().expect("runs"));
    refused.assert_code(8).assert_says(&format!("{}: no such file", sandbox.path("no/secret").display()));
}
