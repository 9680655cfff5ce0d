-- Keys of people. Rows are only ever appended and their secrets overwritten in place: SQLite leaves
-- no stale copy of a row that never moves, and `secure_delete` wipes what is deleted.
CREATE TABLE IF NOT EXISTS person_key (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    secret BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT;

-- Keys destroyed on purpose. The last number is also the vault's generation: it tells every process
-- that what it holds in memory may be gone.
CREATE TABLE IF NOT EXISTS erased (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE
) STRICT;

-- Keys of the book itself.
CREATE TABLE IF NOT EXISTS book_key (
    number  INTEGER PRIMARY KEY,
    purpose TEXT NOT NULL UNIQUE,
    secret  BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT;
