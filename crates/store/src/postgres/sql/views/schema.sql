-- Whose views these are, and how many tables were ever made for them (names are not used twice).
CREATE TABLE IF NOT EXISTS views_meta (
    number     BIGINT PRIMARY KEY CHECK (number = 1),
    book       BYTEA NOT NULL,
    generation BIGINT NOT NULL
);

-- How each view stands. Its rows are in rows_<name>_<generation>; people read them through the SQL
-- view view_<name>, which keeps its identity (and so their rights and their own SQL views) when a
-- rebuild takes the place of its rows.
CREATE TABLE IF NOT EXISTS views (
    name        TEXT COLLATE "C" PRIMARY KEY,
    version     BIGINT NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    generation  BIGINT NOT NULL,
    cursor      BIGINT NOT NULL,
    as_of       TEXT COLLATE "C" NOT NULL,
    rows        BIGINT NOT NULL
);

-- Rebuilds under way, or stopped. Their rows are in rows_<view>_<generation>; turn is who works on
-- it, target and as_of what is loaded, loaded and cursor how far that has come.
CREATE TABLE IF NOT EXISTS views_rebuild (
    view        TEXT COLLATE "C" PRIMARY KEY,
    generation  BIGINT NOT NULL,
    turn        BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    origin      TEXT COLLATE "C" NOT NULL,
    target      BIGINT NOT NULL,
    as_of       TEXT COLLATE "C" NOT NULL,
    loaded      BIGINT NOT NULL,
    rows        BIGINT NOT NULL,
    cursor      BIGINT NOT NULL,
    indexed     BOOLEAN NOT NULL
);
