//! A path or a URL in which `{provider}` may stand once, as a whole segment.

use super::Providers;

pub(super) const PLACEHOLDER: &str = "{provider}";

/// Split at the placeholder, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    /// Where the placeholder begins.
    at: Option<usize>,
}

/// The placeholder stands twice, or is only a part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Misplaced;

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, Misplaced> {
        let at = text.find(PLACEHOLDER);
        let template = Self { text: text.to_owned(), at };
        match template.around() {
            None => Ok(template),
            Some((before, after)) => {
                let alone = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
                let once = !after.contains(PLACEHOLDER);
                if alone && once { Ok(template) } else { Err(Misplaced) }
            }
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn has_placeholder(&self) -> bool {
        self.at.is_some()
    }

    /// With this provider in the placeholder's place.
    pub(super) fn with(&self, provider: &str) -> String {
        match self.around() {
            Some((before, after)) => [before, provider, after].concat(),
            None => self.text.clone(),
        }
    }

    /// Appends what [`Template::with`] gives.
    pub(super) fn write(&self, out: &mut Vec<u8>, provider: &str) {
        match self.around() {
            Some((before, after)) => {
                [before, provider, after].iter().for_each(|part| out.extend_from_slice(part.as_bytes()))
            }
            None => out.extend_from_slice(self.text.as_bytes()),
        }
    }

    /// Whether this is the path: `Some(None)` without a placeholder, else the segment in its place, which may be any
    /// bytes.
    pub(super) fn matched<'p>(&self, path: &'p [u8]) -> Option<Option<&'p [u8]>> {
        match self.around() {
            None => (path == self.text.as_bytes()).then_some(None),
            Some((before, after)) => {
                let segment = path.strip_prefix(before.as_bytes())?.strip_suffix(after.as_bytes())?;
                Some(Some(segment))
            }
        }
    }

    /// A path exists that both templates match with these providers.
    pub(super) fn meets(&self, mine: &Providers, other: &Self, theirs: &Providers) -> bool {
        let (these, those) = (self.text.split('/'), other.text.split('/'));
        let pairwise = these.clone().zip(those.clone()).all(|(this, that)| match (this, that) {
            (PLACEHOLDER, PLACEHOLDER) => mine.meet(theirs),
            (PLACEHOLDER, literal) => mine.named(literal.as_bytes()).is_some(),
            (literal, PLACEHOLDER) => theirs.named(literal.as_bytes()).is_some(),
            (this, that) => this == that,
        });
        pairwise && these.count() == those.count()
    }

    fn around(&self) -> Option<(&str, &str)> {
        let at = self.at?;
        Some((&self.text[..at], &self.text[at + PLACEHOLDER.len()..]))
    }
}
