-- Keys of people. `secure_delete` wipes those that are deleted.
CREATE TABLE IF NOT EXISTS person_key (
    name   TEXT PRIMARY KEY,
    secret BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT, WITHOUT ROWID;

-- Keys destroyed on purpose. The last number is also the vault's generation: it tells every process
-- that what it holds in memory may be gone.
CREATE TABLE IF NOT EXISTS erased (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE
) STRICT;

-- Keys of the book itself.
CREATE TABLE IF NOT EXISTS book_key (
    purpose TEXT PRIMARY KEY,
    secret  BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT, WITHOUT ROWID;
