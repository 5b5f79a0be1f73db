-- A database of the service as loopin 0.1.0 wrote it (schema 1): the migration's test reads it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;
INSERT INTO schema_version VALUES(1);
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
INSERT INTO connection VALUES(X'a37f337953e819a259375b3c275fb042','ada','acme','wiki','all',1,'k1','ok',NULL,0,NULL,0,NULL,NULL,1764000000000,1764000000000,NULL,NULL,'https://op.example/token',NULL,'practice-client',NULL,'Bearer','base read write','base read write',1764000000000,4102444800000,0,NULL,4102444500000,X'01026b318e9f1347c44f394ed93723a80e0b9e53d8614ba16e1c2d534c55287fd672909b2d4e8219a0b86b8789b8fd702ab828e8',X'01026b319acbfb68d80a48a1cb1c0b37007196346cdf82d6674ce726fa08eb6096986e8a03385128e22ae8b0bce3b03415b759aa78');
INSERT INTO connection VALUES(X'fdde7588124258c7d240da926116a430','ada','acme','wiki','read',1,'k1','ok',NULL,0,NULL,0,NULL,NULL,1764000000000,1764000000000,NULL,NULL,'https://op.example/token',NULL,'practice-client',NULL,'Bearer','base read write','base read write',1764000000000,4102444800000,0,NULL,4102444500000,X'01026b3109b9068267cf34e189b3a2416e91ebdeb001dbe6a0eb5c2bb5e34d8a7f7b3ca48fcfb7094848a8fd8f931d3210feefaa',X'01026b310b8fa8c055262825e801d2139f0fe16094427d3e6d7d0f64ecd971eab3602d3e737039b591bdf1bb5255cff87f93ba307c');
INSERT INTO connection VALUES(X'779f8b842a52d2a27437ebd9c0d8d16c','ada','globex','wiki','all',1,'k1','ok',NULL,0,NULL,0,NULL,NULL,1764000000000,1764000000000,NULL,NULL,'https://op.example/token',NULL,'practice-client',NULL,'Bearer','base read write','base read write',1764000000000,4102444800000,0,NULL,4102444500000,X'01026b31adc3423bec45a6d8ca3859202502b8b1f58b39b5b6838bf4990d540f74cb4e2a0f28de0b50ead1c1d45e240aab8d2a0c',X'01026b31b8736b1f068e796af10c0f34e9dee7e880c644dc1d49c794e4bf056a27727b308f2d7f40dc2cb36cc268990838124f3758');
INSERT INTO connection VALUES(X'db0aa69bbd1c16ccad1090462816d0c2','bob','acme','wiki','all',1,'k1','ok',NULL,0,NULL,0,NULL,NULL,1764000000000,1764000000000,NULL,NULL,'https://op.example/token',NULL,'practice-client',NULL,'Bearer','base read write','base read write',1764000000000,4102444800000,0,NULL,4102444500000,X'01026b31c7b3601b2caf7c8adbdc2574bdb679202ec017495cdc54ffec187852df9ca3e36da2c9e7a33684fb2baf916469341a2c',X'01026b316178fb6d55f92c7c28e45a8ea4b6edfc9ae67bfd73d5dd038097745dd1fdc3678a97842a37cc5193e912000551cfc3a9f5');
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
INSERT INTO flow VALUES(X'01010101010101010101010101010101','ada','acme','wiki','all','k1',4102444800000,X'0404040404040404040404040404040404040404040404040404040404040404','https://app.example.com/oauth/done',X'01026b31010101010101010101010101010101010101010101010101baa52eb9defeb57b052cd39737d4e9492eb46ce5618141ff465f');
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
INSERT INTO flow_done VALUES(X'02020202020202020202020202020202','ada','acme','wiki','all','used',1764000000000,X'0404040404040404040404040404040404040404040404040404040404040404','https://app.example.com/oauth/done');
CREATE TABLE key_check (
  key_id TEXT NOT NULL PRIMARY KEY,
  proof BLOB NOT NULL
) STRICT;
INSERT INTO key_check VALUES('k1',X'01026b31030303030303030303030303030303030303030303030303f84fadad3b328071a7801528b8002b84b8ef413b4a91');
CREATE INDEX connection_key ON connection (key_id, id);
CREATE INDEX connection_due ON connection (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX connection_leased ON connection (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX connection_in_doubt ON connection (in_doubt) WHERE in_doubt = 1;
CREATE INDEX flow_of_user ON flow (user_id, expires_at);
CREATE INDEX flow_expiry ON flow (expires_at);
CREATE INDEX flow_done_age ON flow_done (ended_at);
COMMIT;
