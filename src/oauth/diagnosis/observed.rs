//! An HTTP client that looks at the responses of a token endpoint.

use std::{cell::RefCell, time::SystemTime};

use super::Diagnosis;
use crate::oauth::{HttpClient, HttpError, HttpRequest, HttpResponse, WireDialect};

/// Sends as `http` does, and describes the last response.
pub struct Observed<'a> {
    http: &'a dyn HttpClient,
    dialect: WireDialect,
    now: SystemTime,
    last: RefCell<Option<Diagnosis>>,
}

impl<'a> Observed<'a> {
    /// `dialect` is that of the provider.
    pub fn new(http: &'a dyn HttpClient, dialect: WireDialect, now: SystemTime) -> Self {
        Self { http, dialect, now, last: RefCell::default() }
    }

    /// The last response in one line, if it [is news](Diagnosis::is_news).
    pub fn news(&self) -> Option<String> {
        self.last.borrow().as_ref().filter(|last| last.is_news()).map(ToString::to_string)
    }
}

impl HttpClient for Observed<'_> {
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.http.send(request);
        *self.last.borrow_mut() =
            response.as_ref().ok().map(|response| Diagnosis::of(response, &self.dialect, self.now));
        response
    }
}
