//! Who calls: JSON Web Tokens of the operator's own issuers (RFC 7519, RFC 8725).
