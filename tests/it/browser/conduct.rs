//! How a browser may behave, and where there is none.

use std::io::Write;

use crate::harness::{Finished, Login, Provider, Sandbox, kill};

/// A process that a browser left running.
struct Lasting(u32);

impl Drop for Lasting {
    fn drop(&mut self) {
        kill("KILL", self.0);
    }
}

#[test]
fn b07_a_browser_that_never_returns_holds_nothing_up() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let pipe = sandbox.pipe("pid");
    let browser = sandbox.script("browser", &format!("echo $$ > '{}'; exec sleep 600", pipe.path()));
    let login = sandbox.login(&["--browser", &browser]);
    let lasting = Lasting(pipe.read().trim().parse().expect("pid"));
    let page = login.person().allow();
    assert!(page.body.contains("You are signed in"), "{page:?}");
    login.finished().assert_code(0);
    kill("0", lasting.0); // It outlives the login.
}

#[test]
fn b07_an_interrupt_for_the_login_is_none_for_the_browser() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let pipe = sandbox.pipe("group");
    // The fifth field of stat is the process group (proc_pid_stat(5)).
    let browser = sandbox.script("browser", &format!("cut -d ' ' -f 5 /proc/self/stat > '{}'", pipe.path()));
    let login = sandbox.login(&["--browser", &browser]);
    let group: u32 = pipe.read().trim().parse().expect("process group");
    let own = std::fs::read_to_string(format!("/proc/{}/stat", login.child.id())).expect("stat");
    assert_ne!(own.split(' ').nth(4).expect("process group"), group.to_string());
}

#[test]
fn b08_a_browser_that_floods_its_output_leaves_ours_clean() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let pipe = sandbox.pipe("flooded");
    let flood = "head -c 3000000 /dev/zero | tr '\\0' x";
    let browser = sandbox.script("browser", &format!("{flood}; {flood} >&2; echo done > '{}'", pipe.path()));
    let login = sandbox.login(&["--json", "--browser", &browser]);
    assert_eq!("done\n", pipe.read());
    login.person().allow();
    let finished = login.finished();
    finished.assert_code(0);
    assert_eq!("work", finished.json()["integration"]);
    assert!(!finished.stderr.contains("xxx"), "{finished:?}");
}

#[test]
fn b08_a_browser_that_reads_gets_nothing_of_our_input() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let pipe = sandbox.pipe("read");
    let browser = sandbox.script("browser", &format!("{{ cat; echo end; }} > '{}'", pipe.path()));
    let mut command = sandbox.loopin(&["login", "work", "--browser", &browser]);
    let (input, mut ours) = std::io::pipe().expect("pipe");
    ours.write_all(b"for loopin\n").expect("pipe");
    drop(ours);
    command.stdin(input);
    let login = Login::start(command);
    assert_eq!("end\n", pipe.read());
    login.person().allow();
    login.finished().assert_code(0);
}

/// Waits for what is said about the browser; then the person uses the printed URL.
fn told_and_signed_in(mut login: Login, what: &str) -> Finished {
    let line = login.wait_for("browser command");
    assert!(line.contains(what) && line.contains("open the URL above yourself"), "{line}");
    login.person().allow();
    let finished = login.finished();
    finished.assert_code(0);
    finished
}

#[test]
fn b09_a_browser_that_is_missing_or_fails_is_told_and_the_login_goes_on() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let failing = sandbox.script("failing", "exit 3");
    let killed = sandbox.script("killed", "kill -9 $$");
    let directory = sandbox.path("home");
    for (browser, what) in [
        ("/nowhere/browser", "no browser command was found"),
        ("no-such-browser-at-all --new-window", "no browser command was found"),
        (&failing, "the browser command sh failed (exit code 3)"),
        (&killed, "the browser command sh was ended by a signal"),
        (directory.to_str().expect("path"), "the browser command"),
    ] {
        told_and_signed_in(sandbox.login(&["--browser", browser]), what);
    }
}

#[test]
fn b09_without_any_opener_on_the_path_the_login_goes_on() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let mut command = sandbox.loopin(&["login", "work"]);
    command.env("PATH", sandbox.path("home")).env("DISPLAY", ":99");
    told_and_signed_in(Login::start(command), "no browser command was found");
}

#[test]
fn b09_the_next_in_a_list_of_browsers_is_tried() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let pipe = sandbox.pipe("opened");
    let failing = sandbox.script("failing", "exit 1");
    let working = sandbox.script("working", &format!("printf %s \"$1\" > '{}'", pipe.path()));
    let mut command = sandbox.loopin(&["login", "work"]);
    command.env("BROWSER", format!("/nowhere/x:{failing}:{working}"));
    let login = Login::start(command);
    assert_eq!(login.url, pipe.read());
}

#[test]
fn b09_who_insists_on_a_browser_is_told_that_there_is_none() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let finished = sandbox.run(&["login", "work", "--how", "browser", "--browser", "/nowhere/browser"]);
    finished.assert_code(7).assert_says("no browser command was found").assert_says("--browser COMMAND");
}

#[test]
fn b10_without_a_display_or_in_ci_nothing_is_opened_and_the_url_is_printed() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let marker = sandbox.path("opened");
    let path = sandbox.program("xdg-open", &format!(": > '{}'", marker.display()));
    let surroundings: [(&[(&str, &str)], &str); 5] = [
        (&[], "there is no display"),
        (&[("DISPLAY", ""), ("WAYLAND_DISPLAY", "")], "there is no display"),
        (&[("TERM", "dumb")], "there is no display"),
        (&[("CI", "true"), ("DISPLAY", ":99")], "in CI"),
        (&[("CI", "1"), ("WAYLAND_DISPLAY", "wayland-0"), ("TERM", "dumb")], "in CI"),
    ];
    for (variables, why) in surroundings {
        let with = |arguments: &[&str]| {
            let mut command = sandbox.loopin(arguments);
            command.env("PATH", &path).envs(variables.iter().copied());
            command
        };
        let login = Login::start(with(&["login", "work"]));
        login.person().allow();
        let finished = login.finished();
        finished.assert_code(0).assert_says(why).assert_says("open the URL above");
        assert!(!finished.stderr.contains(['\r', '\x1b']), "no line is drawn over in a log: {finished:?}");

        let insisting = Finished::new(with(&["login", "work", "--how", "browser"]).output().expect("loopin"));
        insisting.assert_code(7).assert_says(why);
    }
    assert!(!marker.exists(), "something was opened");
}

#[test]
fn b10_a_named_browser_is_opened_even_without_a_display() {
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let pipe = sandbox.pipe("opened");
    let browser = sandbox.script("browser", &format!("printf %s \"$1\" > '{}'", pipe.path()));
    let mut command = sandbox.loopin(&["login", "work", "--browser", &browser]);
    command.env("CI", "true").env("TERM", "dumb");
    let login = Login::start(command);
    assert_eq!(login.url, pipe.read());
}

#[test]
fn b11_the_browser_gets_no_variable_of_ours_and_no_secret() {
    let provider = Provider::new();
    let sandbox = Sandbox::new();
    sandbox.configure(&format!("{}client_secret = {{ env = \"WORK_SECRET\" }}\n", provider.integration()));
    let pipe = sandbox.pipe("environment");
    let mut command = sandbox.loopin(&["login", "work"]);
    command.env("LOOPIN_BROWSER", sandbox.script("browser", &format!("env > '{}'", pipe.path())));
    command.env("WORK_SECRET", "canary").env("DISPLAY", ":99").env("LOOPIN_FUTURE", "x");
    let login = Login::start(command);
    let environment = pipe.read();
    assert!(!environment.contains("LOOPIN_") && !environment.contains("canary"), "{environment}");
    assert!(environment.contains("DISPLAY=:99\n") && environment.contains("HOME="), "it needs the rest: {environment}");
    drop(login);
}
