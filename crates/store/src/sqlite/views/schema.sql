-- Whose views these are, and how many tables were ever made for them (names are not used twice).
CREATE TABLE IF NOT EXISTS views_meta (
    number     INTEGER PRIMARY KEY CHECK (number = 1),
    book       BLOB NOT NULL,
    generation INTEGER NOT NULL
) STRICT;

-- How each view stands. Its rows are in view_<name>.
CREATE TABLE IF NOT EXISTS views (
    name        TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    cursor      INTEGER NOT NULL,
    as_of       TEXT NOT NULL,
    rows        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rebuilds under way, or stopped. Their rows are in shadow_<view>_<generation>; `turn` is who works
-- on it, `target` and `as_of` what is loaded, `loaded` and `cursor` how far that has come.
CREATE TABLE IF NOT EXISTS views_rebuild (
    view        TEXT PRIMARY KEY,
    generation  INTEGER NOT NULL,
    turn        INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    origin      TEXT NOT NULL,
    target      INTEGER NOT NULL,
    as_of       TEXT NOT NULL,
    loaded      INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    cursor      INTEGER NOT NULL,
    indexed     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
