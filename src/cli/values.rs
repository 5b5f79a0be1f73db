//! The values of options, and what is wrong with them in plain words.

use std::{num::NonZeroU16, time::Duration};

/// Longest time that may be asked for in seconds: a day.
const LONGEST: u64 = 24 * 3600;

pub(super) fn port(text: &str) -> Result<NonZeroU16, String> {
    text.parse().map_err(|_| "a port is a number from 1 to 65535".into())
}

/// 0 to 2 are the standard streams, and no system promises more than 256.
pub(super) fn descriptor(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| (3..256).contains(number));
    number.ok_or_else(|| "a file descriptor is a number from 3 to 255".into())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    if number.is_empty() {
        return Err("write a number and a unit, such as 90s or 5m".into());
    }
    // Digits alone: what does not fit is too long.
    let number = number.parse().unwrap_or(u64::MAX);
    let seconds = match unit {
        "" | "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => return Err("the unit is s, m or h".into()),
    };
    let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "between 1s and 24h".into())
}

pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(name, _)| !name.is_empty());
    parts.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "write NAME=VALUE".into())
}

pub(super) fn rejected(text: &str) -> Result<String, String> {
    let digits = (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| text.to_owned()).ok_or_else(|| "8 to 64 hexadecimal digits of the token's SHA-256".into())
}

/// The name of the variable that holds a token. One that other programs act on is refused: the command would break, or
/// the token would be sent or shown somewhere.
pub(super) fn variable(text: &str) -> Result<String, String> {
    let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !letters || text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a name of letters, digits and _ that begins with no digit".into());
    }
    // Proxy variables count in lower case too, and Windows does not tell the cases apart.
    let upper = text.to_ascii_uppercase();
    let meant = |name: &str| match name.strip_suffix('*') {
        Some(start) => upper.starts_with(start),
        None => upper == name,
    };
    match TAKEN.iter().find(|(names, _)| names.iter().any(|name| meant(name))) {
        Some((_, what)) => Err(format!("{what}; choose a name of its own, such as API_TOKEN")),
        None => Ok(text.to_owned()),
    }
}

/// Variables that mean something to the system, to shells or to the libraries of the command, and what that is. `*`
/// stands for any end.
const TAKEN: [(&[&str], &str); 6] = [
    (&["PATH", "PATHEXT"], "programs are searched there"),
    (
        &[
            "LD_*",
            "DYLD_*",
            "GCONV_PATH",
            "GLIBC_TUNABLES",
            "PYTHONHOME",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "NODE_OPTIONS",
            "NODE_PATH",
            "PERL5LIB",
            "PERL5OPT",
            "RUBYLIB",
            "RUBYOPT",
            "JAVA_TOOL_OPTIONS",
            "_JAVA_OPTIONS",
            "CLASSPATH",
        ],
        "it names code that programs load",
    ),
    (
        &[
            "BASH_ENV",
            "BASHOPTS",
            "CDPATH",
            "ENV",
            "IFS",
            "PROMPT_COMMAND",
            "PS1",
            "PS4",
            "SHELL",
            "SHELLOPTS",
            "ZDOTDIR",
        ],
        "shells act on it",
    ),
    (
        &[
            "APPDATA",
            "COMSPEC",
            "HOME",
            "HOMEDRIVE",
            "HOMEPATH",
            "LANG",
            "LC_*",
            "LOCALAPPDATA",
            "LOGNAME",
            "OLDPWD",
            "PWD",
            "SYSTEMROOT",
            "TEMP",
            "TERM",
            "TMP",
            "TMPDIR",
            "TZ",
            "USER",
            "USERNAME",
            "USERPROFILE",
            "WINDIR",
            "XDG_*",
        ],
        "it describes the user or the machine",
    ),
    (
        &["ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"],
        "it decides which server programs connect to or trust",
    ),
    (
        &["BROWSER", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "LOOPIN_*", "SSH_*", "WAYLAND_DISPLAY"],
        "it has a meaning already",
    ),
];

#[cfg(test)]
mod tests {
    use clap::{Arg, Command, CommandFactory};

    use super::*;
    use crate::cli::Cli;

    /// What clap or Rust say about a number or a text, which tells a user nothing.
    const RUST: [&str; 8] =
        ["target type", "digit found", "non-zero type", "cannot parse", "is not in ", "integer", "utf-8", "None"];

    fn values(command: &Command, prefix: &[String], check: &mut impl FnMut(&[String], &Arg)) {
        command.get_arguments().filter(|arg| arg.get_action().takes_values()).for_each(|arg| check(prefix, arg));
        for verb in command.get_subcommands() {
            values(verb, &[prefix, &[verb.get_name().to_owned()]].concat(), check);
        }
    }

    #[test]
    fn t13_no_value_is_refused_in_the_words_of_a_programming_language() {
        let (mut tried, mut refused) = (0, 0);
        values(&Cli::command(), &["loopin".into()], &mut |prefix, arg| {
            for value in ["99999", "-1", "0", "x", "", "1.5", "99999999999999999999999", "a=", "=", "1d"] {
                tried += 1;
                let option = arg.get_long().map(|long| format!("--{long}={value}"));
                let words = prefix.iter().cloned().chain([option.unwrap_or_else(|| value.to_owned())]);
                if let Err(error) = Cli::command().try_get_matches_from(words) {
                    refused += 1;
                    let text = error.to_string();
                    let found: Vec<_> = RUST.iter().filter(|word| text.contains(**word)).collect();
                    assert!(found.is_empty(), "{found:?} in: {text}");
                }
            }
        });
        assert!(tried > 400 && refused > 100, "{tried} tried, {refused} refused");
    }

    #[test]
    fn t13_a_time_that_no_number_holds_is_too_long() {
        for text in ["99999999999999999999999s", "99999999999999999999999h", "25h", "0s", "0"] {
            assert_eq!(Err("between 1s and 24h".to_owned()), duration(text), "{text}");
        }
        assert_eq!(Ok(Duration::from_secs(90)), duration("90s"));
    }

    #[test]
    fn t13_a_variable_that_other_programs_act_on_is_refused_with_what_it_is_for() {
        for (name, what) in [
            ("PATH", "programs are searched"),
            ("Path", "programs are searched"),
            ("LD_PRELOAD", "code that programs load"),
            ("DYLD_INSERT_LIBRARIES", "code that programs load"),
            ("NODE_OPTIONS", "code that programs load"),
            ("BASH_ENV", "shells act on it"),
            ("IFS", "shells act on it"),
            ("HOME", "the user or the machine"),
            ("LC_ALL", "the user or the machine"),
            ("https_proxy", "which server"),
            ("SSL_CERT_FILE", "which server"),
            ("LOOPIN_CONFIG", "a meaning already"),
        ] {
            let refused = variable(name).expect_err(name);
            assert!(refused.contains(what) && refused.contains("API_TOKEN"), "{name}: {refused}");
        }
        for name in ["ACCESS_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "PATH_TOKEN", "LDAP_TOKEN", "_", "api_token"] {
            assert_eq!(Ok(name.to_owned()), variable(name));
        }
    }
}
