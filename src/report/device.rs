//! What a user reads to approve a login on another device (RFC 8628 section 3.3): who asks, the page and the code, and what
//! to beware of (RFC 8628 section 5.4, RFC 10027).

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};

use crate::grants::DevicePrompt;

/// Empty columns and lines around a QR code, in modules. The standard wants four; phones make do with two.
const QUIET: i32 = 2;
/// Black on white, whatever the colors of the terminal.
const COLORS: (&str, &str) = ("\x1b[38;5;16;48;5;231m", "\x1b[0m");

pub(super) fn text(prompt: &DevicePrompt) -> String {
    let DevicePrompt { integration, provider, client_id, user_code, verification_uri, elsewhere, .. } = prompt;
    let mut text = format!(
        "To sign in to {integration}, open this page on any device:\n\n  {verification_uri}\n\n\
         and enter this code:\n\n  {user_code}\n\n"
    );
    if let Some(complete) = &prompt.verification_uri_complete {
        let _ = write!(text, "This address has the code in it:\n\n  {complete}\n\n");
    }
    let _ = write!(
        text,
        "The page asks you to sign in client \"{client_id}\" at {provider}. Enter the code only if you started this \
         login yourself, and never a code that somebody sent you."
    );
    if let Some(host) = elsewhere {
        let _ = write!(
            text,
            "\nnote: the page is on {host}, and the provider is {provider}; some providers do that, but check that you know it"
        );
    }
    text
}

/// The text as lines of half blocks, two modules high each, with its width in columns; `None` if it is too long for a code.
pub(super) fn qr(text: &str) -> Option<(String, usize)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let (first, end) = (-QUIET, code.size() + QUIET);
    let (on, off) = COLORS;
    let mut lines = String::new();
    for y in (first..end).step_by(2) {
        lines.push_str(on);
        // Outside of the code a module is white.
        lines.extend((first..end).map(|x| match (code.get_module(x, y), code.get_module(x, y + 1)) {
            (true, true) => '\u{2588}',
            (true, false) => '\u{2580}',
            (false, true) => '\u{2584}',
            (false, false) => ' ',
        }));
        lines.push_str(off);
        lines.push('\n');
    }
    Some((lines, usize::try_from(end - first).ok()?))
}

/// Whether a terminal with this many columns and lines shows `text` and the QR code below it at once.
pub(super) fn fits(text: &str, (qr, width): &(String, usize), (columns, lines): (usize, usize)) -> bool {
    // A long line is broken, and the time left has a line of its own.
    let of_text: usize = text.lines().map(|line| 1 + line.chars().count() / columns.max(1)).sum();
    *width <= columns && of_text + qr.lines().count() < lines
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::catalog::IntegrationName;

    fn prompt() -> DevicePrompt {
        DevicePrompt {
            integration: IntegrationName::parse("work").expect("a name"),
            provider: "op.example".into(),
            client_id: "my-client".into(),
            user_code: "WDJB-MJHT".into(),
            verification_uri: "https://op.example/device".into(),
            verification_uri_complete: None,
            elsewhere: None,
            expires_at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn x19_the_user_reads_who_asks_and_to_enter_the_code_only_for_a_login_of_their_own() {
        let text = text(&prompt());
        for expected in [
            "sign in to work",
            "\n  https://op.example/device\n",
            "\n  WDJB-MJHT\n",
            "client \"my-client\" at op.example",
            "Enter the code only if you started this login yourself",
            "never a code that somebody sent you",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("note:") && !text.contains("has the code in it"), "{text}");
    }

    #[test]
    fn x19_a_page_on_another_host_than_the_providers_is_named() {
        let elsewhere = DevicePrompt { elsewhere: Some("device.example".into()), ..prompt() };
        let text = text(&elsewhere);
        assert!(text.contains("note: the page is on device.example, and the provider is op.example"), "{text}");
    }

    #[test]
    fn a_qr_code_is_shown_only_where_it_and_the_text_fit() {
        let complete = "https://op.example/device?user_code=WDJB-MJHT";
        let code = qr(complete).expect("a code");
        let (lines, width) = (code.0.lines().count(), code.1);
        assert_eq!((33, 17), (width, lines), "29 modules and what is left empty around them");
        let plain: Vec<_> =
            code.0.lines().map(|line| line.trim_start_matches(COLORS.0).trim_end_matches(COLORS.1)).collect();
        assert!(plain.iter().all(|line| line.chars().count() == width), "{plain:?}");
        assert!(plain[0].trim().is_empty(), "a scanner needs the empty border");
        assert!(plain[1].starts_with("  \u{2588}\u{2580}\u{2580}\u{2580}"), "{}", plain[1]);
        assert!(fits("one\ntwo", &code, (33, 20)));
        assert!(!fits("one\ntwo", &code, (32, 20)), "too narrow");
        assert!(!fits("one\ntwo", &code, (33, 19)), "not high enough");
        assert!(!fits(&"x".repeat(40), &code, (33, 19)), "a long line takes two");
        assert_eq!(None, qr(&"x".repeat(8000)), "too long");
    }
}
