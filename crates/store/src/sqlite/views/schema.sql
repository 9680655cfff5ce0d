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

-- Rebuilds under way. Their rows are in shadow_<view>_<generation>.
CREATE TABLE IF NOT EXISTS views_shadow (
    view       TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    indexed    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
