-- What the provider sent beside the tokens, encrypted; NULL in connections of an earlier version and where nothing is
-- kept.
ALTER TABLE connection ADD COLUMN metadata BLOB;
