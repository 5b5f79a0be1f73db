//! Text from providers. It is never printed, shown or logged unchanged.

use std::fmt;

/// Longest text of a provider that is shown, in characters.
const LONGEST: usize = 200;

/// Text from the network, cleaned when it arrives: one line, at most 200 characters, without control, escape and
/// bidirectional characters (RFC 6749 section 4.1.2.1 allows even fewer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteText(String);

impl RemoteText {
    /// Cleans a text.
    pub fn new(raw: &str) -> Self {
        // Almost all texts need no change.
        if raw.len() <= LONGEST && raw.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Self(raw.trim_matches(' ').to_owned());
        }
        let mut text: String = raw.chars().map(|c| if printable(c) { c } else { ' ' }).take(LONGEST + 1).collect();
        if text.chars().count() > LONGEST {
            text.pop();
            text.push('…');
        }
        Self(text.trim().to_owned())
    }

    /// The cleaned text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a character can neither move nor hide anything on a terminal.
pub fn printable(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o05_escape_sequences_and_bidirectional_marks_are_taken_out() {
        for hostile in [
            "\x1b[31mred",
            "\x1b]0;title\x07",
            "a\u{202e}b",
            "\u{9b}31m",
            "two\nlines",
            "bell\x07",
            "\u{feff}bom",
            "tag\u{e0041}",
        ] {
            let shown = RemoteText::new(hostile);
            assert!(shown.as_str().chars().all(printable), "{hostile:?} became {shown:?}");
        }
        assert_eq!("user said no", RemoteText::new("user said no").as_str());
    }

    #[test]
    fn a_long_text_is_cut_at_200_characters() {
        assert_eq!(201, RemoteText::new(&"é".repeat(5000)).as_str().chars().count());
    }
}
