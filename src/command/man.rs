//! `loopin man`: one page, made from the help, with exit codes, environment and files.

use std::io::{self, Write};

use clap::{Arg, Command, builder::PossibleValue};
use clap_mangen::Man;

use crate::{
    cli,
    report::{EXIT_CODES, Outcome},
};

/// Of the version in Cargo.toml, ISO 8601.
const RELEASED: &str = "2026-11-22";

const ENVIRONMENT: [(&str, &str); 5] = [
    ("LOOPIN_CONFIG", "the configuration, instead of the platform's place"),
    ("LOOPIN_BROWSER", "the command that opens a URL; %s stands for the URL"),
    ("BROWSER", "the same, after LOOPIN_BROWSER; several commands are separated by colons"),
    ("LOOPIN_STATE_DIR", "locks, the index and sealed files, instead of the person's own state directory"),
    (
        "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "the proxy to providers (http, https, socks4, socks4a, socks5, socks5h); never used for loopback",
    ),
];

const FILES: [(&str, &str); 2] = [
    ("$XDG_CONFIG_HOME/loopin/config.toml", "the integrations (macOS: Library/Application Support, Windows: APPDATA)"),
    ("~/.local/state/loopin", "locks, the index and sealed files; nothing in it is readable"),
];

pub fn run() -> Outcome {
    let mut page = Vec::new();
    // Writing into memory does not fail.
    let _ = render(&mut page);
    Outcome::Document(page)
}

fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = cli::command();
    command.build();
    let man =
        Man::new(command.clone()).section("1").date(RELEASED).source(concat!("loopin ", env!("CARGO_PKG_VERSION")));
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    writeln!(page, ".SH COMMANDS")?;
    verbs(page, "loopin", &command)?;
    writeln!(page, ".SH EXIT STATUS\n.TP\n\\fB0\\fR\nok")?;
    for (code, meaning) in EXIT_CODES {
        writeln!(page, ".TP\n\\fB{}\\fR ({})\n{meaning}", code.exit(), code.word())?;
    }
    for (title, entries) in [("ENVIRONMENT", ENVIRONMENT.as_slice()), ("FILES", FILES.as_slice())] {
        writeln!(page, ".SH {title}")?;
        for (name, meaning) in entries {
            writeln!(page, ".TP\n\\fB{}\\fR\n{meaning}", name.replace('-', "\\-"))?;
        }
    }
    Ok(())
}

/// Every verb with its arguments, in the order of the help.
fn verbs(page: &mut Vec<u8>, prefix: &str, command: &Command) -> io::Result<()> {
    for verb in command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        let name = format!("{prefix} {}", verb.get_name());
        if verb.is_subcommand_required_set() {
            verbs(page, &name, verb)?;
        }
        if verb.is_subcommand_required_set() {
            continue;
        }
        let about = verb.get_long_about().or(verb.get_about()).map(ToString::to_string).unwrap_or_default();
        writeln!(page, ".SS {}\n{}", name.replace('-', "\\-"), about.replace("\n\n", "\n.PP\n"))?;
        for argument in
            verb.get_arguments().filter(|a| !a.is_global_set() && !["help", "version"].contains(&a.get_id().as_str()))
        {
            explain(page, argument)?;
        }
        verbs(page, &name, verb)?;
    }
    Ok(())
}

/// One argument with its default and the values it may have.
fn explain(page: &mut Vec<u8>, argument: &Arg) -> io::Result<()> {
    let takes_values = argument.get_action().takes_values();
    let value = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let form = match (argument.get_long(), value) {
        (Some(long), Some(value)) if takes_values => format!("\\-\\-{} {value}", long.replace('-', "\\-")),
        (Some(long), _) => format!("\\-\\-{}", long.replace('-', "\\-")),
        (None, value) => value.unwrap_or_else(|| argument.get_id().as_str().to_uppercase()),
    };
    writeln!(page, ".TP\n\\fB{form}\\fR\n{}", argument.get_help().map(ToString::to_string).unwrap_or_default())?;
    if !takes_values {
        return Ok(());
    }
    if let Some(default) = argument.get_default_values().first() {
        writeln!(page, "[default: {}]", default.to_string_lossy())?;
    }
    let values = argument.get_possible_values();
    if values.iter().all(|value| value.get_help().is_none()) {
        let names: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
        if !names.is_empty() {
            writeln!(page, "[possible values: {}]", names.join(", "))?;
        }
        return Ok(());
    }
    writeln!(page, ".RS")?;
    for value in values.iter().filter(|value| !value.is_hide_set()) {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        writeln!(page, ".TP\n\\fB{}\\fR\n{help}", value.get_name().replace('-', "\\-"))?;
    }
    writeln!(page, ".RE")
}
