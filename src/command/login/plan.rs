//! How a login gets its answer here: decided before it begins, from where the program runs and what the user typed.

use std::time::Duration;

use crate::{
    cli::How,
    grants::WithoutBrowser,
    report::{Code, Failure},
    stdio::Opening,
    system::environment::{Desktop, Elsewhere},
};

/// Where the program runs.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub desktop: Desktop,
    /// Whether a command that opens a browser was named, by argument or variable.
    pub browser: NamedBrowser,
    pub elsewhere: Option<Elsewhere>,
    pub terminal: Terminal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBrowser {
    No,
    Yes,
}

/// Whether the user can type and read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    Here,
    None,
}

/// What the login does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub opening: Opening,
    pub without_browser: WithoutBrowser,
    pub paste: Paste,
}

/// When the user may paste the address at which the browser ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paste {
    /// Nothing else opens the URL.
    Alone,
    AtOnce,
    IfNoBrowserOpens,
    Never,
}

/// # Errors
/// Nobody can answer here.
pub fn plan(how: How, timeout: Option<Duration>, here: &Surroundings) -> Result<Plan, Failure> {
    let opens = here.browser == NamedBrowser::Yes || here.desktop == Desktop::Here;
    let plan = |opening, without_browser, paste| Ok(Plan { opening, without_browser, paste });
    match (how, here.terminal) {
        (How::Device, _) => plan(Opening::Client, WithoutBrowser::GoesOn, Paste::Never),
        (How::Browser, _) => plan(Opening::Loopin, WithoutBrowser::Fails, Paste::Never),
        (How::Paste, Terminal::Here) => plan(Opening::Client, WithoutBrowser::GoesOn, Paste::Alone),
        (How::Paste, Terminal::None) => {
            Err(Failure::new(Code::Usage, "--how paste: there is no terminal to paste into")
                .remedy("run it on a terminal; a program sends the address with login/answer of loopin stdio"))
        }
        (How::Auto, Terminal::Here) if opens && here.elsewhere.is_none() => {
            plan(Opening::Loopin, WithoutBrowser::GoesOn, Paste::IfNoBrowserOpens)
        }
        (How::Auto, Terminal::Here) => plan(Opening::Loopin, WithoutBrowser::GoesOn, Paste::AtOnce),
        (How::Auto, Terminal::None) if !opens && timeout.is_none() => Err(nobody(here.desktop)),
        (How::Auto, Terminal::None) => plan(Opening::Loopin, WithoutBrowser::GoesOn, Paste::Never),
    }
}

/// A login that nobody can end would wait for nothing.
fn nobody(desktop: Desktop) -> Failure {
    let (why, remedy) = match desktop {
        Desktop::NoneCi => (
            "this is a CI job (CI is set): nobody can sign in here",
            "log in where somebody can; or let somebody enter a code on another device meanwhile: --how device",
        ),
        Desktop::Here | Desktop::NoneHeadless => (
            "there is neither a browser nor a terminal here: nobody can sign in",
            "run it on a terminal, or show a code to enter elsewhere with --how device; if somebody can open the URL that it prints, say how long to wait: --timeout 5m",
        ),
    };
    Failure::new(Code::LoginRequired, why).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::environment::SshSession;

    const NONE: Surroundings = Surroundings {
        desktop: Desktop::NoneHeadless,
        browser: NamedBrowser::No,
        elsewhere: None,
        terminal: Terminal::None,
    };

    fn ssh() -> Option<Elsewhere> {
        Some(Elsewhere::Ssh(SshSession { host: "10.0.0.5".into(), port: 22, user: None }))
    }

    fn paste(here: &Surroundings) -> Paste {
        plan(How::Auto, None, here).expect("a plan").paste
    }

    #[test]
    fn t01_a_browser_here_is_opened_and_the_terminal_is_left_alone() {
        let desktop = Surroundings { desktop: Desktop::Here, terminal: Terminal::Here, ..NONE };
        assert_eq!(Paste::IfNoBrowserOpens, paste(&desktop));
        assert_eq!(Paste::Never, paste(&Surroundings { terminal: Terminal::None, ..desktop }), "a desktop program");
    }

    #[test]
    fn t01_a_browser_elsewhere_can_answer_by_paste() {
        let headless = Surroundings { terminal: Terminal::Here, ..NONE };
        assert_eq!(Paste::AtOnce, paste(&headless));
        let forwarded = Surroundings { desktop: Desktop::Here, elsewhere: ssh(), ..headless.clone() };
        assert_eq!(Paste::AtOnce, paste(&forwarded), "a display over SSH may be none that the user sees");
        let remote_editor =
            Surroundings { browser: NamedBrowser::Yes, elsewhere: Some(Elsewhere::Codespaces), ..headless };
        assert_eq!(Paste::AtOnce, paste(&remote_editor));
    }

    #[test]
    fn t01_where_nobody_can_answer_the_login_ends_at_once_unless_told_to_wait() {
        for desktop in [Desktop::NoneHeadless, Desktop::NoneCi] {
            let here = Surroundings { desktop, ..NONE };
            let failure = plan(How::Auto, None, &here).expect_err("nobody");
            assert_eq!(Code::LoginRequired, failure.code);
            assert!(plan(How::Auto, Some(Duration::from_secs(60)), &here).is_ok());
            assert!(plan(How::Auto, None, &Surroundings { browser: NamedBrowser::Yes, ..here }).is_ok());
        }
    }

    #[test]
    fn t01_paste_alone_needs_a_terminal() {
        assert_eq!(Code::Usage, plan(How::Paste, None, &NONE).expect_err("no terminal").code);
        let plan = plan(How::Paste, None, &Surroundings { terminal: Terminal::Here, ..NONE }).expect("a plan");
        assert_eq!((Opening::Client, Paste::Alone), (plan.opening, plan.paste));
    }
}
