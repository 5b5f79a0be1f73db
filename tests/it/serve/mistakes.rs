//! Mistakes of somebody who sets the service up: each is told with its place, and with what repairs it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::*;

/// What is done to a good set-up in this directory.
type Mistake<'a> = &'a dyn Fn(&Path);

/// What `serve check` says of it; `DIR` stands for the directory.
fn checked(mistake: Mistake<'_>) -> (Option<i32>, String) {
    let sandbox = Sandbox::new();
    prepare(&sandbox, GOOD);
    write_private(&sandbox.path("secret"), b"from the provider");
    mistake(&sandbox.path(""));
    let path = sandbox.path("loopin.toml");
    let finished = sandbox.run(&["serve", "check", "--config", path.to_str().expect("path")]);
    let directory = sandbox.path("").to_str().expect("path").trim_end_matches('/').to_owned();
    (finished.code, finished.stderr.replace(&directory, "DIR"))
}

const GOOD: &str = r#"[server]
public_url = "https://connect.example.com"
[store]
url = "sqlite://{dir}/loopin.db"
[keys]
current = "k1"
k1 = { file = "{dir}/k1" }
[[jwt]]
issuer = "https://id.example.com"
audience = "loopin"
hs256 = { file = "{dir}/hs256" }
org = "org_id"
[callbacks]
allow = ["https://app.example.com/oauth/"]
[integration.wiki]
authorization_endpoint = "https://wiki.example.com/authorize"
token_endpoint = "https://wiki.example.com/token"
client_id = "me"
client_secret = { file = "{dir}/secret" }
[integration.wiki.actions]
read = ["read"]
"#;

const KEYS: &str = "current = \"k1\" and k1 = { file = \"/run/keys/k1\" }, with 32 random bytes in that file";

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_line_and_its_repair() {
    let write_keys = format!("write: {KEYS}");
    let add_keys = format!("add: [keys] with {KEYS}");
    let public = "write what browsers are to reach: public_url = \"https://connect.example.com\"";
    let url = "write: url = \"sqlite:///var/lib/loopin/loopin.db\"";
    let safe = "write what the provider's documentation says, from https:// on";
    let unsafe_url = "is not a safe URL: it is http; only https is safe, except on the loopback interface";
    let http = format!("line 17, column 18: [integration.wiki]: token_endpoint {unsafe_url}");
    let jwks = format!("line 11, column 12: [[jwt]]: jwks_url {unsafe_url}");
    let no_place =
        "write an origin and a path: \"https://app.example.com/oauth/\"; \"http://127.0.0.1:*/callback\" for any port";
    let hs256 = "hs256 = { file = \"{dir}/hs256\" }";
    let callbacks = "[callbacks]\nallow = [\"https://app.example.com/oauth/\"]\n";
    let integration = &GOOD[GOOD.find("[integration").expect("table")..];
    let jwt = &GOOD[GOOD.find("[[jwt").expect("table")..GOOD.find("[callbacks").expect("table")];
    let cases: &[(&str, &str, &str, &str)] = &[
        ("[server]", "[sever]", "line 1, column 2: unknown field `sever`, expected one of", "did you mean server?"),
        ("public_url", "publik_url", "line 2, column 1: unknown field `publik_url`", "did you mean public_url?"),
        ("audience", "audiance", "line 10, column 1: unknown field `audiance`", "did you mean audience?"),
        ("client_id", "clientid", "line 18, column 1: unknown field `clientid`", "did you mean client_id?"),
        ("[store]", "query_token = \"of\"\n[store]", "line 3, column 15: unknown variant `of`", "did you mean off?"),
        (
            "[[jwt]]",
            "[jwt]",
            "line 8, column 1: invalid type: map, expected [[jwt]] in two brackets, one for each issuer",
            "",
        ),
        (
            "[server]\npublic_url = \"https://connect.example.com\"\n",
            "",
            "[server] is missing",
            "add: [server] with public_url = \"https://connect.example.com\"",
        ),
        (
            "[store]\nurl = \"sqlite://{dir}/loopin.db\"\n",
            "",
            "[store] is missing",
            "add: [store] with url = \"sqlite:///var/lib/loopin/loopin.db\"",
        ),
        ("[keys]\ncurrent = \"k1\"\nk1 = { file = \"{dir}/k1\" }\n", "", "[keys] is missing", &add_keys),
        (
            jwt,
            "",
            "there is no [[jwt]], so no caller could be accepted",
            "add: [[jwt]] with issuer, audience and jwks_url or hs256",
        ),
        (
            callbacks,
            "",
            "no application may be returned to: [callbacks] is missing or empty",
            "add: [callbacks] with allow = [\"https://app.example.com/oauth/\"]",
        ),
        (integration, "", "there is no integration", "add a table [integration.NAME]"),
        (
            "public_url = \"https://connect.example.com\"",
            "",
            "line 1, column 1: [server]: public_url is missing",
            public,
        ),
        (
            "https://connect",
            "http://connect",
            "line 2, column 14: [server]: public_url: it is http; only https is safe, except on the loopback interface",
            public,
        ),
        (
            "[store]",
            "listen = \"localhost:80\"\n[store]",
            "line 3, column 10: [server]: listen: not an address and a port",
            "write: listen = \"127.0.0.1:8080\"; 0.0.0.0:8080 or [::]:8080 for every address",
        ),
        (
            "[store]",
            "admin = \"127.0.0.1:8080\"\n[store]",
            "line 3, column 9: [server]: admin: 127.0.0.1:8080 is where the service listens",
            "write another port: admin = \"127.0.0.1:9090\"",
        ),
        ("url = \"sqlite://{dir}/loopin.db\"", "", "line 3, column 1: [store]: url is missing", url),
        (
            "sqlite://{dir}",
            "postgres://{dir}",
            "line 4, column 7: [store]: url: not a database that is known here",
            url,
        ),
        (
            "sqlite://{dir}",
            "sqlite://.",
            "line 4, column 7: [store]: url: a whole path is needed, from its first slash on",
            url,
        ),
        ("\"k1\"", "\"k2\"", "line 6, column 11: [keys]: current: there is no key of that name", &write_keys),
        (
            "{ file = \"{dir}/k1\" }",
            "\"a2V5\"",
            "line 7, column 6: [keys]: k1: a key never stands in this file",
            &write_keys,
        ),
        (
            "{ file = \"{dir}/k1\" }",
            "{ flie = \"k1\" }",
            "line 7, column 6: neither a key's name nor where its 32 bytes lie: write { file = \"...\" } or { env = \"...\" }",
            "",
        ),
        (
            hs256,
            "",
            "line 8, column 1: [[jwt]]: there is no key",
            "add: jwks_url = \"https://...\", or hs256 = { file = \"...\" } for a shared secret",
        ),
        (hs256, "jwks_url = \"http://id.example.com/jwks\"", &jwks, "write it like https://id.example.com/jwks"),
        (
            "https://app",
            "http://app",
            "line 14, column 10: [callbacks]: allow: it is http, which is for 127.0.0.1 and [::1] alone",
            no_place,
        ),
        ("https://wiki.example.com/token", "http://wiki.example.com/token", &http, safe),
        (
            "client_id = \"me\"",
            "",
            "line 15, column 1: [integration.wiki]: client_id is missing",
            "add: client_id = \"...\"",
        ),
        (
            "{ file = \"{dir}/secret\" }",
            "{ keychain = true }",
            "line 15, column 1: [integration.wiki]: a service has no keychain to read the client secret from",
            "write: client_secret = { file = \"...\" } or { env = \"...\" }",
        ),
    ];
    for (from, to, what, remedy) in cases {
        assert!(GOOD.contains(from), "{from}");
        let (code, said) = checked(&|directory| {
            let text = fs::read_to_string(directory.join("loopin.toml")).expect("configuration");
            let here = |text: &str| text.replace("{dir}", directory.to_str().expect("path").trim_end_matches('/'));
            fs::write(directory.join("loopin.toml"), text.replacen(&here(from), &here(to), 1)).expect("written");
        });
        assert_eq!(Some(3), code, "{said}");
        assert!(said.starts_with(&format!("loopin: DIR/loopin.toml: {what}")), "{said}");
        let told = said.lines().nth(1).unwrap_or_default().trim_start_matches([' ', '→']);
        assert_eq!(*remedy, told, "{said}");
    }
}

#[test]
fn what_is_wrong_with_a_file_that_it_names_is_told_with_its_repair() {
    let mode = |name: &'static str, mode: u32| {
        move |directory: &Path| {
            fs::set_permissions(directory.join(name), fs::Permissions::from_mode(mode)).expect("mode");
        }
    };
    let content =
        |name: &'static str, bytes: &'static [u8]| move |directory: &Path| write_private(&directory.join(name), bytes);
    let gone = |name: &'static str| move |directory: &Path| fs::remove_file(directory.join(name)).expect("removed");
    let newer = |directory: &Path| {
        let file = directory.join("loopin.db");
        let database = rusqlite::Connection::open(&file).expect("database");
        database
            .execute_batch("CREATE TABLE schema_version (version INTEGER); INSERT INTO schema_version VALUES (99)")
            .expect("newer");
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("mode");
    };
    let cases: &[(Mistake<'_>, i32, &str)] = &[
        (&gone("loopin.toml"), 3, "DIR/loopin.toml: no such file\n  → begin with the one in docs/serve.md"),
        (
            &content("loopin.toml", b"\xff\xfd"),
            3,
            "DIR/loopin.toml: the text is not UTF-8, as TOML is\n  → check what it is: file 'DIR/loopin.toml'",
        ),
        (&gone("k1"), 3, "DIR/k1: no such file\n  → (umask 077; openssl rand -base64 32 > 'DIR/k1')"),
        (&mode("k1", 0o660), 3, "DIR/k1 can be read or changed by others (mode 660)\n  → chmod CHMOD 'DIR/k1'"),
        (
            &content("k1", b"short"),
            3,
            "[keys]: k1 in DIR/k1 is not 32 bytes, as they are or in base64\n  → make one: openssl rand -base64 32",
        ),
        (&gone("hs256"), 3, "DIR/hs256: no such file\n  → (umask 077; openssl rand -base64 48 > 'DIR/hs256')"),
        (
            &mode("hs256", 0o604),
            3,
            "DIR/hs256 can be read or changed by others (mode 604)\n  → chmod CHMOD 'DIR/hs256'",
        ),
        (
            &content("hs256", b"short"),
            3,
            "[[jwt]]: hs256: the secret has fewer than 32 bytes\n  → make one: openssl rand -base64 48",
        ),
        (&gone("secret"), 3, "DIR/secret: no such file\n  → (umask 077; cat > 'DIR/secret')"),
        (
            &mode("secret", 0o660),
            3,
            "DIR/secret can be read or changed by others (mode 660)\n  → chmod CHMOD 'DIR/secret'",
        ),
        (&newer, 8, "the database was made by a newer loopin (schema 99; this one knows 4)\n  → use the newer loopin"),
        (
            &content("loopin.db", &[b'x'; 4096]),
            8,
            "DIR/loopin.db: the database is not sound: file is not a database\n  → put back a backup, or write another url under [store]",
        ),
    ];
    for (mistake, exit, says) in cases {
        let (code, said) = checked(mistake);
        // Root may share a secret with the group of a service.
        let chmod = if nix::unistd::geteuid().is_root() { "g-wx,o-rwx" } else { "go-rwx" };
        let says = says.replace("CHMOD", chmod);
        assert_eq!((Some(*exit), format!("loopin: {says}\n")), (code, said));
    }
}

#[test]
fn a_port_that_is_taken_stops_the_start_and_is_no_fault_of_the_configuration() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let port = taken.local_addr().expect("address").port();
    let sandbox = Sandbox::new();
    prepare(&sandbox, &GOOD.replace("[store]", &format!("listen = \"127.0.0.1:{port}\"\n[store]")));
    write_private(&sandbox.path("secret"), b"from the provider");
    let path = sandbox.path("loopin.toml");
    let path = path.to_str().expect("path");
    let what = format!("cannot listen at 127.0.0.1:{port}: address in use");
    let remedy =
        format!("see what has that port: ss -ltnp 'sport = :{port}'; or write another one as listen under [server]");
    let started = sandbox.run(&["serve", "--config", path]);
    assert_eq!((Some(7), format!("loopin: {what}\n  → {remedy}\n")), (started.code, started.stderr));
    let checked = sandbox.run(&["serve", "check", "--config", path]);
    checked.assert_code(0).assert_says(&format!("Unless the service runs already: {what}\n"));
}

#[test]
fn h08_a_proxy_variable_that_is_not_understood_is_an_error_before_the_start() {
    let sandbox = Sandbox::new();
    prepare(&sandbox, GOOD);
    write_private(&sandbox.path("secret"), b"from the provider");
    let path = sandbox.path("loopin.toml");
    for verb in [&["serve", "check"][..], &["serve"]] {
        let arguments = [verb, &["--config", path.to_str().expect("path")]].concat();
        let output = sandbox.loopin(&arguments).env("HTTPS_PROXY", "socks://me:canary@proxy.example").output();
        let finished = Finished::new(output.expect("loopin runs"));
        finished.assert_code(3).assert_says("HTTPS_PROXY").assert_says("unset HTTPS_PROXY");
        assert!(!finished.said().contains("canary"), "{finished:#?}");
    }
}
