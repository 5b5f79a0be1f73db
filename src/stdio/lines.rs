//! Bytes into lines, none longer than a bound, however they are cut.

/// Longest line in bytes, its end not counted: 1 MiB.
pub const LONGEST_LINE: usize = 1024 * 1024;

/// What stood between two line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its bytes are gone: no more than the bound was ever kept.
    TooLong,
    Whole(Vec<u8>),
}

/// The line that has begun.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
    fits: Fits,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fits {
    No,
    #[default]
    Yes,
}

impl Lines {
    /// Takes from the front what belongs to one line, and gives that line if it has ended.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Option<Line> {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.keep(std::mem::take(bytes));
            return None;
        };
        self.keep(&bytes[..end]);
        *bytes = &bytes[end + 1..];
        Some(self.end())
    }

    /// What came after the last line end, if anything did.
    pub fn rest(&mut self) -> Option<Line> {
        let empty = self.begun.is_empty() && self.fits == Fits::Yes;
        (!empty).then(|| self.end())
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.fits == Fits::Yes && self.begun.len() + bytes.len() <= LONGEST_LINE {
            self.begun.extend_from_slice(bytes);
        } else {
            (self.begun, self.fits) = (Vec::new(), Fits::No);
        }
    }

    fn end(&mut self) -> Line {
        let mut line = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.fits) == Fits::No {
            return Line::TooLong;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Line::Whole(line)
    }
}
