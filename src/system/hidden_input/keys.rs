//! Keys and pastes as texts: the bytes of a terminal that neither echoes nor edits lines.

/// What a terminal sends before and after a paste, once it was asked to (bracketed paste mode of xterm).
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
const ESCAPE: u8 = 0x1b;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];
/// Ctrl-U: begin again.
const KILL: u8 = 0x15;
/// Ctrl-D.
const END: u8 = 0x04;
/// Longer texts are cut here, so that they are refused as too long.
const LONGEST: usize = 128 * 1024;

/// What the user has done.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// A text is complete.
    Text(Vec<u8>),
    /// Enter: the text is complete unless more arrives at once, which is a paste of several lines.
    Line,
    /// Ctrl-D on an empty line.
    End,
}

/// Collects bytes until a text is complete.
#[derive(Debug, Default)]
pub struct Keys {
    text: Vec<u8>,
    /// An escape sequence that is not complete.
    sequence: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Typed,
    Pasted,
}

impl Keys {
    /// The next byte. The end of a marked paste completes the text.
    pub fn push(&mut self, byte: u8) -> Option<Input> {
        if !self.sequence.is_empty() || byte == ESCAPE {
            return self.escape(byte);
        }
        match (self.place, byte) {
            (Place::Pasted, _) => self.keep(byte),
            (Place::Typed, b'\r' | b'\n') => {
                self.keep(b'\n');
                return Some(Input::Line);
            }
            (Place::Typed, KILL) => self.text.clear(),
            (Place::Typed, END) if self.text.is_empty() => return Some(Input::End),
            // As in a terminal that edits lines: what is there is complete.
            (Place::Typed, END) => return Some(Input::Text(self.take())),
            (Place::Typed, byte) if BACKSPACE.contains(&byte) => {
                // A character of UTF-8 ends with its continuation bytes.
                while self.text.pop().is_some_and(|byte| (0x80..0xc0).contains(&byte)) {}
            }
            (Place::Typed, byte) => self.keep(byte),
        }
        None
    }

    /// The text, after a [`Input::Line`] that nothing followed.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text)
    }

    /// How many characters there are.
    pub fn len(&self) -> usize {
        String::from_utf8_lossy(&self.text).trim_end().chars().count()
    }

    fn keep(&mut self, byte: u8) {
        if self.text.len() < LONGEST {
            self.text.push(byte);
        }
    }

    fn escape(&mut self, byte: u8) -> Option<Input> {
        self.sequence.push(byte);
        match self.sequence.as_slice() {
            PASTE_BEGINS => self.place = Place::Pasted,
            PASTE_ENDS => {
                self.place = Place::Typed;
                self.sequence.clear();
                return Some(Input::Text(self.take()));
            }
            sequence if is_complete(sequence) => {}
            _ => return None,
        }
        self.sequence.clear();
        None
    }
}

/// Other sequences are keys without a text: ESC and a byte, or ESC, `[` or `O`, and bytes up to a letter or `~`.
fn is_complete(sequence: &[u8]) -> bool {
    match sequence {
        [_] | [_, b'[' | b'O'] => false,
        [_, b'[' | b'O', .., last] => matches!(last, 0x40..=0x7e) || sequence.len() > 16,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(bytes: &[u8]) -> (Keys, Vec<Input>) {
        let mut keys = Keys::default();
        let inputs = bytes.iter().filter_map(|byte| keys.push(*byte)).collect();
        (keys, inputs)
    }

    fn line(bytes: &[u8]) -> Vec<u8> {
        let (mut keys, inputs) = inputs(bytes);
        assert_eq!(Some(&Input::Line), inputs.last(), "{}", bytes.escape_ascii());
        keys.take()
    }

    #[test]
    fn what_is_typed_ends_with_enter() {
        assert_eq!(b"abc\n".to_vec(), line(b"abc\r"));
        assert_eq!(b"ab\n".to_vec(), line(b"abc\x7f\r"), "backspace");
        assert_eq!(b"a\n".to_vec(), line("aé\x7f\r".as_bytes()), "a whole character");
        assert_eq!(b"c\n".to_vec(), line(b"ab\x15c\r"), "begun again");
        assert_eq!(b"ab\n".to_vec(), line(b"a\x1b[D\x1b[1;5C\x1bOPb\r"), "keys without a text");
    }

    #[test]
    fn what_is_pasted_is_one_text_with_all_its_lines() {
        let (keys, inputs) = inputs(b"x\x15\x1b[200~one\r\ntwo\x7f\x1b[201~");
        assert_eq!(vec![Input::Text(b"one\r\ntwo\x7f".to_vec())], inputs);
        assert_eq!(0, keys.len(), "the next begins empty");
    }

    #[test]
    fn ctrl_d_completes_a_text_and_ends_an_empty_one() {
        assert_eq!(vec![Input::End], inputs(b"\x04").1);
        assert_eq!(vec![Input::Line, Input::Text(b"ab\n".to_vec()), Input::End], inputs(b"ab\r\x04\x04").1);
    }

    #[test]
    fn a_text_without_end_is_cut() {
        let (mut keys, _) = inputs(&vec![b'a'; LONGEST + 10]);
        assert_eq!(LONGEST, keys.take().len());
    }
}
