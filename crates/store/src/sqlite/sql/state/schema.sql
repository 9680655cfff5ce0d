-- What is neither record nor derived: how far consumers have come, who holds which work, and what
-- deliveries remember.
CREATE TABLE IF NOT EXISTS meta (
    number         INTEGER PRIMARY KEY CHECK (number = 1),
    book           BLOB NOT NULL CHECK (length(book) = 16),
    schema_version INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS cursor (
    name     TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    moved_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A lease that was given back stays, ended: its number only grows.
CREATE TABLE IF NOT EXISTS lease (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    ends_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- With row ids: its key is an index of its own, and counting one kind reads no bodies.
CREATE TABLE IF NOT EXISTS document (
    kind    TEXT NOT NULL,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT;

-- The last version that any document was given: none is given twice, though a document was deleted.
CREATE TABLE IF NOT EXISTS document_version (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    last   INTEGER NOT NULL
) STRICT;

INSERT OR IGNORE INTO document_version (number, last) VALUES (1, 0);
