//! The clients of `examples/`, run as their readers would.

use std::path::Path;

use super::*;

/// Runs it twice: the first time a person signs in, the second time nobody is needed.
fn run(program: &str, example: &str) {
    if Command::new(program).arg("--version").output().is_err() {
        crate::harness::tell(&format!("examples/{example}: skipped, {program} is not here"));
        return;
    }
    let provider = Provider::new();
    let sandbox = Sandbox::with(&provider);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    let source = std::fs::read_to_string(&path).expect("example");
    assert!(source.lines().count() <= 50, "short enough to be read");
    let start = || {
        let loopin = sandbox.loopin(&[]);
        let mut command = Command::new(program);
        command.arg(&path).arg("work").env_clear().envs(loopin.get_envs().filter_map(|(n, v)| Some((n, v?))));
        command.env("LOOPIN", loopin.get_program()).env("NO_BROWSER", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let mut first = start();
    let mut said = BufReader::new(first.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let url = said.find_map(|line| Some(line.strip_prefix("login/url ")?.trim().to_owned())).expect("a URL");
    Person::at(url).allow();
    let said: Vec<_> =
        said.filter(|line| !line.starts_with("login/waiting")).map(|line| line.trim().to_owned()).collect();
    assert_eq!(["login/code", "login/exchanging", "login/done"].as_slice(), &said[..3], "{said:?}");
    assert!(said[3].starts_with("a token until 2"), "{said:?}");
    assert_eq!(Some(0), first.wait().expect("it ends").code());

    let second = start().wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&second.stdout);
    assert!(second.status.success() && said.starts_with("a token until 2"), "{second:?}");
    assert_eq!(1, provider.counters().token);
}

#[test]
fn the_node_client_works_as_an_electron_main_process_would() {
    run("node", "stdio-client.mjs");
}

#[test]
fn the_python_client_works() {
    run("python3", "stdio_client.py");
}
