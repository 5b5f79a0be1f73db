//! What stands at the end of every help page: examples that can be typed as they are, with names changed.

use clap::{Command, CommandFactory};

use super::Cli;

/// The whole command line, with examples in every help page.
pub fn command() -> Command {
    with_examples(Cli::command(), "")
}

fn with_examples(command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let command = names.iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |verb| with_examples(verb, path.trim_start()))
    });
    let Some((_, lines)) = EXAMPLES.iter().find(|(known, _)| *known == path) else { return command };
    let mut text = format!("Examples:\n  {}", lines.join("\n  "));
    if let Some(more) = command.get_after_help() {
        text = format!("{text}\n\n{more}");
    }
    command.after_help(text)
}

/// The words of a command → its examples, in the order of the help.
const EXAMPLES: [(&str, &[&str]); 36] = [
    (
        "",
        &[
            "loopin integration add work --provider gitlab --client-id my-client",
            "loopin login work",
            "loopin token work",
        ],
    ),
    (
        "login",
        &["loopin login work", "loopin login work --how paste", "loopin login work --account anna --timeout 10m"],
    ),
    (
        "token",
        &[
            "loopin token work",
            "loopin token work --min-ttl 10m --json",
            "config=$(loopin token work --format curl) && curl --config - URL <<<\"$config\"",
        ],
    ),
    (
        "exec",
        &[
            "loopin exec work -- ./backup.sh",
            "loopin exec work --env GITLAB_TOKEN -- glab mr list",
            "loopin exec work --fd 3 -- sh -c 'read -r token <&3; ./backup.sh'",
        ],
    ),
    ("helper", &["loopin helper git setup >> ~/.gitconfig", "loopin helper kubectl setup work > work.kubeconfig"]),
    ("helper git", &["loopin helper git setup >> ~/.gitconfig", "loopin helper git --integration work get"]),
    (
        "helper kubectl",
        &["loopin helper kubectl setup work > work.kubeconfig", "loopin helper kubectl work --id-token"],
    ),
    ("helper kubectl setup", &["loopin helper kubectl setup work > work.kubeconfig"]),
    ("helper docker", &["loopin helper docker setup", "loopin helper docker list"]),
    ("status", &["loopin status", "loopin status work --json"]),
    ("logout", &["loopin logout work", "loopin logout work --account anna --local"]),
    ("integration", &["loopin integration providers git", "loopin integration show work"]),
    (
        "integration add",
        &[
            "loopin integration add work --provider gitlab --client-id my-client",
            "loopin integration add work --issuer https://login.example.com --client-id me",
        ],
    ),
    (
        "integration set",
        &[
            "loopin integration set work --scope openid --scope offline_access",
            "loopin integration set work --secret-stdin < secret.txt",
        ],
    ),
    ("integration list", &["loopin integration list", "loopin integration list --json"]),
    ("integration providers", &["loopin integration providers", "loopin integration providers gitlab"]),
    ("integration show", &["loopin integration show work"]),
    ("integration remove", &["loopin integration remove work"]),
    (
        "integration diagnose",
        &["loopin integration diagnose response.txt", "loopin integration diagnose < response.txt"],
    ),
    ("integration verify", &["loopin integration verify work"]),
    ("redirect", &["loopin redirect check http://127.0.0.1:0/callback"]),
    (
        "redirect check",
        &[
            "loopin redirect check http://127.0.0.1:0/callback",
            "loopin redirect check https://acme.example/cb --sent https://acme.example/",
        ],
    ),
    ("stdio", &["loopin stdio"]),
    ("demo", &["loopin demo", "loopin demo --yes --provider slack"]),
    ("doctor", &["loopin doctor", "loopin doctor work", "loopin doctor --report"]),
    ("relay", &["loopin relay check --config relay.toml", "loopin relay --config relay.toml"]),
    (
        "relay check",
        &[
            "loopin relay check --config relay.toml",
            "loopin relay check --config relay.toml --against https://acme.example",
        ],
    ),
    ("relay export", &["loopin relay export nginx --config relay.toml"]),
    ("serve", &["loopin serve check --config loopin.toml", "loopin serve --config loopin.toml"]),
    ("serve check", &["loopin serve check --config loopin.toml"]),
    ("serve keys", &["loopin serve keys status --config loopin.toml"]),
    ("serve keys rotate", &["loopin serve keys rotate --config loopin.toml"]),
    ("serve keys status", &["loopin serve keys status --config loopin.toml"]),
    ("serve migrate", &["loopin serve migrate --config loopin.toml"]),
    ("completions", &["loopin completions zsh > ~/.zfunc/_loopin"]),
    ("man", &["loopin man > loopin.1"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of an example that clap does not wrap, behind two spaces.
    const WIDTH: usize = 78;

    /// Every command a user can type, as its words, with its help.
    fn pages(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        found.push((path.to_owned(), command.clone().render_help().to_string()));
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            pages(verb, format!("{path} {}", verb.get_name()).trim_start(), found);
        }
    }

    #[test]
    fn t15_every_help_page_has_examples_of_its_command_that_parse() {
        let mut found = Vec::new();
        pages(&command(), "", &mut found);
        assert!(found.len() > 30, "{}", found.len());
        for (path, help) in found {
            let (_, examples) =
                help.split_once("Examples:\n").unwrap_or_else(|| panic!("no examples for: {path}\n{help}"));
            let lines: Vec<_> = examples.lines().map_while(|line| line.strip_prefix("  ")).collect();
            assert!(!lines.is_empty(), "{path}");
            for line in &lines {
                assert!(line.len() <= WIDTH, "a terminal of 80 columns would break it: {line}");
                let start = line.find("loopin ").expect("a command of loopin");
                let typed = line[start..].split([')', '<', '>', '\'']).next().unwrap_or_default();
                let words: Vec<_> = typed.split_whitespace().collect();
                command().try_get_matches_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
            let own = format!("loopin {path}");
            assert!(lines.iter().any(|line| line.contains(own.trim_end())), "{path}: {lines:?}");
        }
    }

    #[test]
    fn t15_no_examples_are_left_for_a_command_that_is_gone() {
        let mut found = Vec::new();
        pages(&command(), "", &mut found);
        for (path, _) in EXAMPLES {
            let server = path.starts_with("serve") && cfg!(not(feature = "server"));
            assert!(server || found.iter().any(|(known, _)| known == path), "{path}");
        }
    }
}
