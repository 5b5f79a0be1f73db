//! The README says what is so: its demo is the demo's output, its commands parse, its configuration is read.

use clap::Parser;
use loopin::{catalog::Catalog, cli::Cli, relay::Relay};

use crate::harness::{Finished, RawServer, Sandbox, TOKENS};

fn readme() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    std::fs::read_to_string(path).expect("README.md")
}

/// The fenced blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let fence = format!("```{language}\n");
    let parts = readme.split(&fence).skip(1);
    parts.map(|part| part.split("```").next().expect("closed").to_owned()).collect()
}

/// Ports, random values and times are each run's own.
fn without_chance(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split_inclusive([' ', '\n', '&', '/', '?']) {
        let (word, end) = word.split_at(word.trim_end_matches([' ', '\n', '&', '/', '?']).len());
        let word = match word {
            w if w.starts_with("127.0.0.1:") && !w.ends_with(":0") => "127.0.0.1:PORT",
            w if w.starts_with("state=") => "state=…",
            w if w.starts_with("code_challenge=") => "code_challenge=…",
            w if w.starts_with("redirect_uri=http%3A") => "redirect_uri=…",
            w if w.starts_with("20") && w.ends_with('Z') => "TIME",
            w => w,
        };
        words.push(format!("{word}{end}"));
    }
    words.concat()
}

#[test]
fn the_demo_in_the_readme_is_what_the_demo_prints() {
    let run = Sandbox::new().run(&["demo", "--yes"]);
    run.assert_code(0);
    let shown = blocks("text").concat();
    let shown = shown.strip_prefix("$ loopin demo --yes\n").expect("the command stands first");
    assert_eq!(without_chance(shown), without_chance(&format!("{}{}", run.stderr, run.stdout)));
}

#[test]
fn every_command_in_the_readme_is_one() {
    let mut seen = 0;
    for block in blocks("sh").into_iter().chain(blocks("console")) {
        for line in block.lines().map(|l| l.trim_start_matches("$ ")) {
            // Inside a command substitution, too.
            for command in line.split("$(").map(|part| part.split([')', '<', '|']).next().unwrap_or_default()) {
                let words: Vec<_> = command.split_whitespace().collect();
                let words = match words.as_slice() {
                    ["loopin", ..] => words,
                    ["cargo", "run", "--release", "--", rest @ ..] => [&["loopin"], rest].concat(),
                    _ => continue,
                };
                seen += 1;
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{command}: {error}");
                }
            }
        }
    }
    assert!(seen >= 6, "only {seen} commands were found");
}

#[test]
fn the_configuration_in_the_readme_is_read() {
    for block in blocks("toml") {
        if block.contains("[[route]]") {
            Relay::parse(&block).expect("the README's routes");
        } else {
            Catalog::parse(&block).expect("the README's configuration");
        }
    }
}

/// Those that end by themselves and ask nobody else.
#[test]
fn the_relays_commands_in_the_readme_run_as_written() {
    let sandbox = Sandbox::new();
    let routes = blocks("toml").into_iter().find(|block| block.contains("[[route]]")).expect("routes");
    std::fs::write(sandbox.path("relay.toml"), routes).expect("relay.toml");
    let lines: Vec<_> =
        blocks("sh").iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut ran = 0;
    for line in lines.iter().filter(|line| line.starts_with("loopin relay ") && !line.contains("--against")) {
        let words: Vec<_> = line.split_whitespace().skip(1).collect();
        if words[1].starts_with("--") {
            continue;
        }
        let output = sandbox.loopin(&words).current_dir(sandbox.path("")).output().expect("loopin runs");
        Finished::new(output).assert_code(0);
        ran += 1;
    }
    assert_eq!(3, ran, "{lines:?}");
}

#[test]
fn every_exit_code_of_the_program_is_in_the_readme() {
    let readme = readme();
    for code in loopin::Code::ALL {
        let (number, word) = (code.exit().to_string(), format!("`{}`", code.word()));
        let row = readme.lines().find(|l| {
            l.starts_with('|') && l.split('|').nth(1).is_some_and(|n| n.split(',').any(|n| n.trim() == number))
        });
        assert!(row.is_some_and(|row| row.contains(&word)), "{number} {word}");
    }
}

/// `curl` is one that records how it was called.
#[test]
fn t13_no_example_of_the_readme_sends_a_request_without_the_token() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let server = RawServer::json(200, TOKENS);
    let sandbox = Sandbox::at(&server);
    let bin = sandbox.path("bin");
    std::fs::create_dir(&bin).expect("bin");
    symlink(env!("CARGO_BIN_EXE_loopin"), bin.join("loopin")).expect("loopin");
    let log = sandbox.path("curl.log");
    let curl = format!("#!/bin/sh\n{{ echo \"$@\"; case \"$*\" in *--config*) cat;; esac; }} >>'{}'\n", log.display());
    std::fs::write(bin.join("curl"), curl).expect("curl");
    std::fs::set_permissions(bin.join("curl"), PermissionsExt::from_mode(0o755)).expect("curl");
    let blocks = [blocks("sh"), blocks("console")].concat();
    let lines: Vec<_> = blocks
        .iter()
        .flat_map(|block| block.lines())
        .map(|line| line.trim_start_matches("$ "))
        .filter(|line| line.contains("loopin") && line.contains("curl"))
        .collect();
    assert_eq!(2, lines.len(), "{lines:?}");
    let run = |line: &str| {
        let loopin = sandbox.loopin(&[]);
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", line]).env_clear();
        bash.envs(loopin.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("PATH", path);
        Finished::new(bash.output().expect("bash"))
    };
    for line in &lines {
        run(line).assert_code(4);
        assert!(!log.exists(), "curl was called without a token: {line}");
    }
    sandbox.log_in(&[]).assert_code(0);
    for line in &lines {
        run(line).assert_code(0);
        let called = std::fs::read_to_string(&log).expect("curl was called");
        let (arguments, config) = called.split_once('\n').expect("arguments");
        assert!(!arguments.contains("an-access-token"), "everybody on the machine can read arguments: {arguments}");
        assert!(config.contains("Bearer an-access-token"), "{called}");
        std::fs::remove_file(&log).expect("log");
    }
}
