//! What is wrong in one table of the service's configuration, before anybody knows the line.

use std::ops::Range;

use serde_spanned::Spanned;

use crate::catalog::{CatalogError, Place};

/// Without a span it is the table itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    span: Option<Range<usize>>,
    what: String,
    remedy: String,
}

impl Fault {
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { span: None, what: what.into(), remedy: remedy.into() }
    }

    pub fn at<T>(self, value: &Spanned<T>) -> Self {
        Self { span: Some(value.span()), ..self }
    }

    /// `table` is what the file calls it, `[[jwt]]`; `whole` is where it stands in `text`.
    pub fn in_table(self, table: &str, whole: Range<usize>, text: &str) -> CatalogError {
        CatalogError {
            place: Some(Place::of(text, self.span.unwrap_or(whole).start)),
            what: format!("{table}: {}", self.what),
            remedy: Some(self.remedy),
        }
    }
}
