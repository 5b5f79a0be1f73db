//! What every process shows of itself. S18.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use serde_json::json;

use super::set_mode;
use crate::harness::{Login, RawServer, Sandbox, TOKENS, eventually, send, write_private};

/// What the kernel shows of every process of this sandbox: arguments and environment.
fn processes(sandbox: &Path) -> Vec<String> {
    let read = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let entries = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let shown = entries.map(|path| format!("{}\n{}", read(path.join("cmdline")), read(path.join("environ"))));
    let place = sandbox.to_string_lossy().into_owned();
    shown.filter(|text| text.contains(&place)).collect()
}

#[test]
fn s18_no_secret_stands_in_the_arguments_or_the_environment_of_any_process() {
    let (secret, code, refresh) = ("canary-client-secret", "canary-code", "canary-refresh");
    let sandbox = Sandbox::new();
    let (place, seen) = (sandbox.path(""), Arc::new(Mutex::new(Vec::new())));
    let (sampled, root) = (Arc::clone(&seen), place.clone());
    // While the code is being exchanged every secret is in memory: the moment to look.
    let server = RawServer::new(move |_, stream| {
        sampled.lock().expect("samples").extend(processes(&root));
        send(
            stream,
            200,
            "",
            json!({ "access_token": "canary-access", "refresh_token": refresh }).to_string().as_bytes(),
        );
    });
    write_private(&sandbox.path("secret"), secret.as_bytes());
    let file = format!("client_secret = {{ file = \"{}\" }}\n", sandbox.path("secret").display());
    sandbox.configure(&(server.integration() + &file));
    let dump = sandbox.path("dump");
    let browser = fake_browser(&sandbox, &dump);
    let login = sandbox.login(&["--browser", &browser]);
    eventually("the browser has written its surroundings", || dump.exists());
    login.answer(code);
    login.finished().assert_code(0);
    sandbox.run(&["token", "work"]).assert_code(0);
    sandbox.run(&["logout", "work"]).assert_code(0);

    let samples = seen.lock().expect("samples").clone();
    assert!(samples.iter().any(|text| text.contains("login\0work")), "the login was seen: {samples:?}");
    assert_eq!(3, server.requests().len());
    let shown = samples.join("\n") + &fs::read_to_string(&dump).expect("dump");
    for canary in [secret, code, refresh, "canary-access"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}

/// Writes what it and its parent show of themselves.
fn fake_browser(sandbox: &Sandbox, dump: &Path) -> String {
    let script = sandbox.path("browser.sh");
    let line = "tr '\\0' '\\n' </proc/$PPID/cmdline; tr '\\0' '\\n' </proc/$PPID/environ; echo --child--; tr '\\0' '\\n' </proc/$$/cmdline; env";
    let part = dump.with_extension("part");
    let text =
        format!("#!/bin/sh\n{{ {line}; }} >'{}' && mv '{}' '{}'\n", part.display(), part.display(), dump.display());
    fs::write(&script, text).expect("script");
    set_mode(&script, 0o700);
    script.to_string_lossy().into_owned()
}

#[test]
fn s18_the_browser_inherits_neither_the_secret_variable_nor_ours() {
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::new();
    sandbox.configure(&(server.integration() + "client_secret = { env = \"WORK_SECRET\" }\n"));
    let dump = sandbox.path("dump");
    let browser = fake_browser(&sandbox, &dump);
    let mut command = sandbox.loopin(&["login", "work"]);
    command.env("WORK_SECRET", "canary-client-secret").env("LOOPIN_BROWSER", browser).env("MINE", "stays");
    let login = Login::start(command);
    eventually("the browser has written its surroundings", || dump.exists());
    let dump = fs::read_to_string(&dump).expect("dump");
    let (_, child) = dump.split_once("--child--").expect("two parts");
    assert!(child.contains("MINE=stays") && child.contains(&login.url), "{child}");
    for word in ["canary-client-secret", "WORK_SECRET", "LOOPIN_"] {
        assert!(!child.contains(word), "{word} in {child}");
    }
    login.answer("a-code");
    login.finished().assert_code(0);
}
