//! A token response that was saved: its body, perhaps with an HTTP head before it, as `curl -i` prints it.

use oauth2::http::{HeaderName, HeaderValue, StatusCode};

use crate::oauth::HttpResponse;

/// A saved response.
#[derive(Debug)]
pub struct SavedResponse {
    /// With status 200 if none was saved.
    pub response: HttpResponse,
    /// From the head, if there is one.
    pub status: Option<u16>,
}

/// Why bytes are no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAResponse {
    #[error("is not text")]
    Binary,
    #[error("is empty")]
    Empty,
    #[error("begins with an HTTP head that cannot be read")]
    Head,
    #[error("has an HTTP head and no body")]
    HeadAlone,
}

impl SavedResponse {
    /// # Errors
    /// There is no body, or it is not text.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAResponse> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or(NotAResponse::Binary)?;
        let mut rest = text.trim_start_matches('\u{feff}');
        if rest.trim().is_empty() {
            return Err(NotAResponse::Empty);
        }
        let (mut response, mut status) = (HttpResponse::default(), None);
        // A proxy's head, an interim response or a redirect may stand before the last one.
        while rest.starts_with("HTTP/") {
            let end =
                [("\r\n\r\n", 4), ("\n\n", 2)].into_iter().filter_map(|(end, length)| Some((rest.find(end)?, length)));
            let Some((end, length)) = end.min() else { return Err(NotAResponse::HeadAlone) };
            response = of_head(&rest[..end])?;
            status = Some(response.status().as_u16());
            rest = &rest[end + length..];
        }
        if status.is_some() && rest.trim().is_empty() {
            return Err(NotAResponse::HeadAlone);
        }
        *response.body_mut() = rest.as_bytes().to_vec();
        Ok(Self { response, status })
    }
}

fn of_head(head: &str) -> Result<HttpResponse, NotAResponse> {
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse::<u16>().ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).ok_or(NotAResponse::Head)?;
    let mut response = HttpResponse::default();
    *response.status_mut() = status;
    for line in lines {
        // What no header can carry is of no use here either.
        let field = line.split_once(':').and_then(|(name, value)| {
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value.trim()).ok()?))
        });
        field.into_iter().for_each(|(name, value)| drop(response.headers_mut().insert(name, value)));
    }
    Ok(response)
}
