//! A server with one issuer for each tenant, such as Microsoft Entra ID: its metadata name the issuer with a placeholder,
//! and the id_token names the tenant in `tid`.

use std::fmt;

use super::{EndpointError, Issuer};

const TENANT: &str = "{tenantid}";
/// Longest identifier of a tenant, in bytes: that of a host name (RFC 1035 section 2.3.4).
const LONGEST_TENANT: usize = 253;

/// An issuer in which `{tenantid}` is one segment of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerTemplate {
    before: String,
    after: String,
}

/// Why a text is no template of an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerTemplateError {
    /// It is no safe URL with a tenant in it.
    #[error(transparent)]
    Issuer(#[from] EndpointError),
    #[error("{{tenantid}} has to be one segment of its path, once")]
    Placeholder,
}

impl IssuerTemplate {
    /// # Errors
    /// The placeholder is missing or stands elsewhere, or the rest is no issuer.
    pub fn parse(text: &str) -> Result<Self, IssuerTemplateError> {
        let (before, after) = text.split_once(TENANT).ok_or(IssuerTemplateError::Placeholder)?;
        let in_path = before.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
        let segment = before.ends_with('/') && (after.is_empty() || after.starts_with('/'));
        if !in_path || !segment || after.contains('{') {
            return Err(IssuerTemplateError::Placeholder);
        }
        let template = Self { before: before.to_owned(), after: after.to_owned() };
        Issuer::parse(&template.with("tenant"))?;
        Ok(template)
    }

    /// The issuer of a tenant. `None`: its identifier could change the path.
    pub fn issuer_of(&self, tenant: &str) -> Option<Issuer> {
        plain(tenant).then(|| Issuer::parse(&self.with(tenant)).ok()).flatten()
    }

    /// Whether this is the issuer of some tenant.
    pub fn covers(&self, issuer: &str) -> bool {
        let tenant = issuer.strip_prefix(&*self.before).and_then(|rest| rest.strip_suffix(&*self.after));
        tenant.is_some_and(plain)
    }

    fn with(&self, tenant: &str) -> String {
        format!("{}{tenant}{}", self.before, self.after)
    }
}

/// Letters, digits, hyphens and dots: a segment that no URL reads as another one.
fn plain(tenant: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    (1..=LONGEST_TENANT).contains(&tenant.len()) && tenant.bytes().all(allowed) && !tenant.starts_with('.')
}

/// As the metadata have it.
impl fmt::Display for IssuerTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with(TENANT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRA: &str = "https://login.example/{tenantid}/v2.0";

    #[test]
    fn d12_a_template_stands_for_the_issuers_of_its_tenants_and_for_no_other() {
        let template = IssuerTemplate::parse(ENTRA).expect("a template");
        assert_eq!(ENTRA, template.to_string());
        let own = "https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
        assert_eq!(own, template.issuer_of("9188040d-6c67-4c5b-b112-36a304b66dad").expect("an issuer").as_str());
        assert!(template.covers(own));
        for other in [
            "https://login.example//v2.0",
            "https://login.example/a/b/v2.0",
            "https://login.example/../v2.0",
            "https://login.example/a/v2.0/",
            "https://login.example/a/v1.0",
            "https://login.example/{tenantid}/v2.0",
            "https://login.example.evil.example/a/v2.0",
            "https://evil.example/a/v2.0",
            "https://login.example/v2.0",
            "",
        ] {
            assert!(!template.covers(other), "{other}");
        }
        for tenant in ["", "a/b", "..", ".", "a b", "a?b", "a#b", "a%2fb", "é", &"x".repeat(254)] {
            assert_eq!(None, template.issuer_of(tenant), "{tenant}");
        }
    }

    #[test]
    fn d12_the_tenant_is_one_segment_of_the_path() {
        for bad in [
            "https://login.example/common/v2.0",
            "https://{tenantid}.login.example/v2.0",
            "https://{tenantid}/v2.0",
            "https://login.example/x{tenantid}/v2.0",
            "https://login.example/{tenantid}x",
            "https://login.example/{tenantid}/{tenantid}",
            "https://login.example/{tenant}/v2.0",
            "http://login.example/{tenantid}",
            "https://login.example/{tenantid}?a=b",
            "{tenantid}",
        ] {
            assert!(IssuerTemplate::parse(bad).is_err(), "{bad}");
        }
        assert!(IssuerTemplate::parse("https://login.example/{tenantid}").is_ok());
        assert!(IssuerTemplate::parse("http://127.0.0.1:8080/{tenantid}/v2.0").is_ok());
    }
}
