-- Times are milliseconds since 1970. Columns that are read often stand before the large ones.
CREATE TABLE connection (
  id BLOB NOT NULL UNIQUE,
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
  UNIQUE (user_id, org_key, integration, action)
) STRICT;
CREATE INDEX connection_key ON connection (key_id, id);
CREATE INDEX connection_due ON connection (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX connection_leased ON connection (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX connection_in_doubt ON connection (in_doubt) WHERE in_doubt = 1;

CREATE TABLE flow (
  id BLOB NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  org_key TEXT NOT NULL,
  integration TEXT NOT NULL,
  action TEXT NOT NULL,
  key_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  browser BLOB,
  app_callback_url TEXT NOT NULL,
  content BLOB NOT NULL
) STRICT;
CREATE INDEX flow_of_user ON flow (user_id, expires_at);
CREATE INDEX flow_expiry ON flow (expires_at);

CREATE TABLE flow_done (
  id BLOB NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  org_key TEXT NOT NULL,
  integration TEXT NOT NULL,
  action TEXT NOT NULL,
  "end" TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  browser BLOB,
  app_callback_url TEXT NOT NULL
) STRICT;
CREATE INDEX flow_done_age ON flow_done (ended_at);

CREATE TABLE key_check (
  key_id TEXT NOT NULL PRIMARY KEY,
  proof BLOB NOT NULL
) STRICT;
