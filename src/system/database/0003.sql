-- How the client's secret is sent there, as the provider's metadata said at the login (RFC 7591 section 2); NULL in
-- connections of an earlier version: client_secret_basic.
ALTER TABLE connection ADD COLUMN authentication_method TEXT;
