//! Mistakes in a configuration file, for `loopin`, the relay and the service: what is wrong, where, and how to fix it.

use std::{fmt, ops::Range};

use serde_spanned::Spanned;

use super::UnknownName;

/// Line and column, from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Place {
    /// The place of the byte at `offset`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// A mistake in the file, its place and its fix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogError {
    /// Where; `None`: the whole file.
    pub place: Option<Place>,
    /// What is wrong.
    pub what: String,
    /// How to fix it, if the text does not say so.
    pub remedy: Option<String>,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for CatalogError {}

impl CatalogError {
    /// The error of the TOML parser for `text`, with the nearest known name for an unknown one.
    pub fn of_toml(text: &str, error: &toml_edit::de::Error) -> Self {
        let what = error.message().trim().to_owned();
        Self { place: error.span().map(|span| Place::of(text, span.start)), remedy: misspelt(&what), what }
    }
}

/// serde's message lists the expected names; the fix is the nearest one.
fn misspelt(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let mut names = rest.split('`').step_by(2);
    let wrong = names.next()?;
    let nearest = UnknownName::among(wrong, names).nearest?;
    Some(format!("did you mean {nearest}?"))
}

/// A mistake inside a table whose line is not known yet. Without a span it is about the whole table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    span: Option<Range<usize>>,
    what: String,
    remedy: Option<String>,
}

impl Fault {
    /// A mistake with its fix.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { span: None, what: what.into(), remedy: Some(remedy.into()) }
    }

    /// A mistake whose text already contains the fix.
    pub fn plain(what: impl Into<String>) -> Self {
        Self { span: None, what: what.into(), remedy: None }
    }

    /// The same mistake at the place of `value`.
    pub fn at<T>(self, value: &Spanned<T>) -> Self {
        Self { span: Some(value.span()), ..self }
    }

    /// At the table itself if the key is missing.
    pub fn at_if<T>(self, value: Option<&Spanned<T>>) -> Self {
        match value {
            Some(value) => self.at(value),
            None => self,
        }
    }

    /// `whole` is the place of the table in `text`.
    pub fn within(self, whole: Range<usize>, text: &str) -> CatalogError {
        let place = Place::of(text, self.span.unwrap_or(whole).start);
        CatalogError { place: Some(place), what: self.what, remedy: self.remedy }
    }

    /// As `within`, for a table with the name `table`, such as `[[jwt]]`.
    pub fn in_table(self, table: &str, whole: Range<usize>, text: &str) -> CatalogError {
        let what = format!("{table}: {}", self.what);
        Self { what, ..self }.within(whole, text)
    }
}
