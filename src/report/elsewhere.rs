//! How to sign in with a browser on another machine, in the words for a user.

use crate::{
    oauth::ResponseMode,
    system::environment::{Elsewhere, SshSession},
};

/// `listener` is the redirect URI that the listener has, `ends_at` the one at which the browser ends.
pub fn sign_in_from_elsewhere(
    elsewhere: Option<&Elsewhere>,
    mode: ResponseMode,
    listener: &str,
    ends_at: &str,
) -> String {
    let why = match elsewhere {
        Some(Elsewhere::Codespaces) => "this is a codespace, so the browser is on another machine",
        Some(Elsewhere::Container) => "this is a container, so the browser is outside",
        Some(Elsewhere::Ssh(_)) => "this terminal came over SSH, so the browser may be on another machine",
        None => "the browser may be on another machine",
    };
    let reach = reach(elsewhere, listener);
    match mode {
        ResponseMode::Query => format!(
            "{why}. Sign in there: the browser then ends at an address that begins with\n\n  {ends_at}?\n\nand it may show an \
             error instead of that page. Copy the whole address from its address bar and paste it here; what you paste is not \
             shown.\nOr {reach}"
        ),
        ResponseMode::FormPost => format!(
            "{why}. The provider posts its response, so the address does not contain it and there is nothing to paste: {reach}"
        ),
    }
}

/// How that browser gets to the listener.
fn reach(elsewhere: Option<&Elsewhere>, listener: &str) -> String {
    match (elsewhere, tunnel(elsewhere, listener)) {
        (Some(_), Some(tunnel)) => {
            format!(
                "let the browser reach this login: run this on its machine, then open the URL there\n\n  {tunnel}\n"
            )
        }
        (None, Some(tunnel)) => format!(
            "let the browser reach this login: run this on its machine, with the name of this one as HOST, then open the URL \
             there\n\n  {tunnel}\n"
        ),
        (_, None) => format!("let the browser reach {listener} from outside, and open the URL there\n"),
    }
}

/// The command that forwards the listener's port to the machine of the browser.
fn tunnel(elsewhere: Option<&Elsewhere>, listener: &str) -> Option<String> {
    let authority = listener.split_once("://")?.1.split(['/', '?']).next()?;
    let (host, port) = authority.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    match elsewhere {
        Some(Elsewhere::Container) => None,
        Some(Elsewhere::Codespaces) => Some(format!("gh codespace ports forward {port}:{port}")),
        Some(Elsewhere::Ssh(SshSession { host: this, port: sshd, user })) => {
            let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
            let sshd = if *sshd == 22 { String::new() } else { format!("-p {sshd} ") };
            Some(format!("ssh -N -L {port}:{host}:{port} {sshd}{user}{this}"))
        }
        None => Some(format!("ssh -N -L {port}:{host}:{port} HOST")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh(port: u16, user: Option<&str>) -> Elsewhere {
        Elsewhere::Ssh(SshSession { host: "10.0.0.5".into(), port, user: user.map(str::to_owned) })
    }

    #[test]
    fn t01_the_tunnel_can_be_typed_as_it_is_printed() {
        let tunnel = |elsewhere: &Elsewhere| tunnel(Some(elsewhere), "http://127.0.0.1:38123/callback/work");
        assert_eq!(Some("ssh -N -L 38123:127.0.0.1:38123 ada@10.0.0.5"), tunnel(&ssh(22, Some("ada"))).as_deref());
        assert_eq!(Some("ssh -N -L 38123:127.0.0.1:38123 -p 2222 10.0.0.5"), tunnel(&ssh(2222, None)).as_deref());
        assert_eq!(Some("gh codespace ports forward 38123:38123"), tunnel(&Elsewhere::Codespaces).as_deref());
        assert_eq!(None, tunnel(&Elsewhere::Container), "no ssh leads into a container");
        assert_eq!(
            Some("ssh -N -L 38123:[::1]:38123 10.0.0.5"),
            super::tunnel(Some(&ssh(22, None)), "http://[::1]:38123/callback").as_deref()
        );
    }

    #[test]
    fn t01_a_response_that_is_posted_is_not_asked_for() {
        let text = |mode| {
            let listener = "http://127.0.0.1:38123/callback/work";
            sign_in_from_elsewhere(Some(&ssh(22, None)), mode, listener, listener)
        };
        assert!(text(ResponseMode::Query).contains("paste it here"));
        let posted = text(ResponseMode::FormPost);
        assert!(posted.contains("nothing to paste") && posted.contains("ssh -N -L 38123"), "{posted}");
    }
}
