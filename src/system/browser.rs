//! Opens the user's browser: without a shell, without a wait, and without access to our files and streams.

use std::{
    fmt, io,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use super::{
    core_dumps,
    environment::{self, BROWSER, Desktop, LOOPIN_BROWSER},
};

/// The placeholder for the URL in a command. Without it the URL is the last argument.
const PLACE: &str = "%s";

/// What is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Commands that the user configured, tried in order. Each is split into words before the URL is inserted.
    Named(Vec<Vec<String>>),
    /// The default browser of the desktop.
    Desktop,
    None(NoBrowser),
}

/// Why no browser is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoBrowser {
    Ci,
    Headless,
    /// The variable of this name has no command that can be read.
    Variable(&'static str),
}

impl fmt::Display for NoBrowser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ci => f.write_str("no browser is opened in CI"),
            Self::Headless => f.write_str("there is no display to open a browser on"),
            Self::Variable(name) => {
                write!(f, "{name} has no command in it (an unclosed quote?), so no browser is opened")
            }
        }
    }
}

/// A browser command that cannot be split into words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{from} is empty or has an unclosed quote")]
#[non_exhaustive]
pub struct BadCommand {
    pub from: &'static str,
}

impl Browser {
    /// In this order: the argument, LOOPIN_BROWSER, BROWSER, the desktop's default.
    ///
    /// A variable that cannot be read is as good as no browser: it may have been set for another program.
    ///
    /// # Errors
    /// The argument cannot be parsed.
    pub fn choose(argument: Option<&str>) -> Result<Self, BadCommand> {
        if let Some(command) = argument {
            return Ok(Self::Named(vec![words(command, "--browser")?]));
        }
        if let Some(command) = environment::text(LOOPIN_BROWSER) {
            return Ok(Self::of_variable(LOOPIN_BROWSER, [command.as_str()]));
        }
        if let Some(list) = environment::text(BROWSER) {
            // A list, as in xdg-open. Paths of Windows contain colons.
            let whole = cfg!(windows) || is_file(&list);
            let list = if whole { vec![list.as_str()] } else { list.split(':').collect() };
            return Ok(Self::of_variable(BROWSER, list));
        }
        Ok(match environment::desktop() {
            Desktop::Here => Self::Desktop,
            Desktop::NoneCi => Self::None(NoBrowser::Ci),
            Desktop::NoneHeadless => Self::None(NoBrowser::Headless),
        })
    }

    fn of_variable<'a>(name: &'static str, list: impl IntoIterator<Item = &'a str>) -> Self {
        let commands: Vec<_> = list.into_iter().filter_map(|command| words(command, name).ok()).collect();
        if commands.is_empty() { Self::None(NoBrowser::Variable(name)) } else { Self::Named(commands) }
    }

    /// Starts the browser and returns at once. `opened` is called on another thread, at most once; a command that is
    /// still running counts as opened.
    pub fn open(&self, url: &str, hidden: Option<String>, opened: impl FnOnce(Result<(), NotOpened>) + Send + 'static) {
        let commands = match self {
            Self::Named(commands) => commands.iter().map(|words| command(words, url)).collect(),
            Self::Desktop => open::commands(url),
            Self::None(_) => return,
        };
        thread::spawn(move || opened(run(commands, hidden.as_deref())));
    }
}

/// No command opened the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotOpened {
    Failed { program: String, code: Option<i32> },
    NotFound,
}

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { program, code: Some(code) } => {
                write!(f, "the browser command {program} failed (exit code {code})")
            }
            Self::Failed { program, code: None } => write!(f, "the browser command {program} was ended by a signal"),
            Self::NotFound => f.write_str("no browser command was found"),
        }
    }
}

impl std::error::Error for NotOpened {}

/// The whole text may be the path of a program, with spaces and quotes in it.
fn is_file(command: &str) -> bool {
    Path::new(command).is_file()
}

fn words(command: &str, from: &'static str) -> Result<Vec<String>, BadCommand> {
    if is_file(command) {
        return Ok(vec![command.to_owned()]);
    }
    // On Windows a backslash separates folders, which shlex does not allow.
    let words = if cfg!(windows) {
        Some(command.split_whitespace().map(str::to_owned).collect())
    } else {
        shlex::split(command)
    };
    words.filter(|w: &Vec<String>| !w.is_empty()).ok_or(BadCommand { from })
}

fn command(words: &[String], url: &str) -> Command {
    let placed = words.iter().skip(1).any(|word| word.contains(PLACE));
    let mut command = Command::new(&words[0]);
    command.args(words.iter().skip(1).map(|word| word.replace(PLACE, url)));
    if !placed {
        command.arg(url);
    }
    command
}

fn run(commands: Vec<Command>, hidden: Option<&str>) -> Result<(), NotOpened> {
    let mut last = NotOpened::NotFound;
    for mut command in commands {
        for name in environment::own_variables() {
            command.env_remove(name);
        }
        if let Some(name) = hidden {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // A Ctrl-C for this program must not end the user's browser.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let program = command.get_program().to_string_lossy().into_owned();
        let started = {
            let _limit = core_dumps::usual_limit();
            command.spawn()
        };
        match started.and_then(|mut child| child.wait()) {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => last = NotOpened::Failed { program, code: status.code() },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => last = NotOpened::Failed { program, code: None },
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(template: &str, url: &str) -> Vec<String> {
        let command = command(&words(template, "--browser").expect("words"), url);
        command.get_args().map(|a| a.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn b03_the_command_is_split_before_the_url_is_put_in() {
        let url = "https://a.example/?x=1 2;touch$IFS/tmp/x";
        assert_eq!(vec!["--app", url], arguments("x --app %s", url));
        assert_eq!(vec![format!("--app={url}").as_str()], arguments("x --app=%s", url));
        assert_eq!(vec!["two words", url], arguments("x 'two words'", url));
    }

    #[test]
    fn a_command_that_cannot_be_split_is_named() {
        for bad in ["", "   ", "x 'unclosed"] {
            assert_eq!(Err(BadCommand { from: "--browser" }), Browser::choose(Some(bad)), "{bad:?}");
        }
    }
}
