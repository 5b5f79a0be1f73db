-- A namespace for each issuer stands before user and organization: names are unique only within it. Rows from before
-- have the empty one. A table constraint cannot be changed in SQLite, so the connections move to a new table.
CREATE TABLE connection_moved (
  id BLOB NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  user_id TEXT NOT NULL,
  org_key TEXT NOT NULL,
  integration TEXT NOT NULL,
  action TEXT NOT NULL,
  generation INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  status TEXT NOT NULL,
  since INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  next_try_at INTEGER,
  in_doubt INTEGER NOT NULL DEFAULT 0,
  lease_owner BLOB,
  lease_until INTEGER,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  base_url TEXT,
  issuer TEXT,
  token_endpoint TEXT NOT NULL,
  revocation_endpoint TEXT,
  client_id TEXT NOT NULL,
  subject TEXT,
  token_type TEXT NOT NULL,
  asked TEXT NOT NULL,
  granted TEXT NOT NULL,
  obtained_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  expiry_assumed INTEGER NOT NULL,
  refreshable_until INTEGER,
  due_at INTEGER,
  access BLOB NOT NULL,
  refresh BLOB,
  UNIQUE (namespace, user_id, org_key, integration, action)
) STRICT;
INSERT INTO connection_moved
  SELECT id, '', user_id, org_key, integration, action, generation, key_id, status, since, failures, next_try_at,
    in_doubt, lease_owner, lease_until, created_at, last_used_at, base_url, issuer, token_endpoint, revocation_endpoint,
    client_id, subject, token_type, asked, granted, obtained_at, expires_at, expiry_assumed, refreshable_until, due_at,
    access, refresh
  FROM connection ORDER BY rowid;
DROP TABLE connection;
ALTER TABLE connection_moved RENAME TO connection;
CREATE INDEX connection_key ON connection (key_id, id);
CREATE INDEX connection_due ON connection (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX connection_leased ON connection (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX connection_in_doubt ON connection (in_doubt) WHERE in_doubt = 1;

ALTER TABLE flow ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
ALTER TABLE flow_done ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
DROP INDEX flow_of_user;
CREATE INDEX flow_of_owner ON flow (namespace, user_id, org_key, expires_at);
