-- The derived form of one book's log. Everything here can be dropped and is made again.

CREATE TABLE meta (                          -- one row
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    format       INTEGER NOT NULL,           -- version of these tables and their blobs
    book         BLOB    NOT NULL,           -- 16 bytes: the book this was derived from
    packer       TEXT    NOT NULL,           -- fingerprint of what packed the replay blocks
    block_events INTEGER NOT NULL,           -- events a block
    incarnation  BLOB    NOT NULL,           -- tells this state from one made anew in the same file
    generation   INTEGER NOT NULL,           -- grows whenever runs are taken away
    sealed_to    INTEGER NOT NULL,           -- position of the last sealed event
    next_run     INTEGER NOT NULL            -- ids of runs, and so of pages, are never used twice
) STRICT;

CREATE TABLE run (                           -- a sorted run of the key index
    id          INTEGER PRIMARY KEY,
    level       INTEGER NOT NULL,            -- 0, 1, 2: over 1, 16, 256 blocks
    first_block INTEGER NOT NULL UNIQUE,
    blocks      INTEGER NOT NULL,
    keys        INTEGER NOT NULL,            -- distinct keys
    pages       INTEGER NOT NULL,
    filter      BLOB    NOT NULL,
    directory   BLOB    NOT NULL             -- first key and offset of each page
) STRICT;

CREATE TABLE page (
    id   INTEGER PRIMARY KEY,                -- id of the run × 2^24 + number of the page in it
    data BLOB NOT NULL
) STRICT;

CREATE TABLE tile (                          -- C2SP tlog-tiles; the last of a level may be partial
    level INTEGER NOT NULL,
    idx   INTEGER NOT NULL,
    data  BLOB    NOT NULL,
    PRIMARY KEY (level, idx)
) STRICT;

CREATE TABLE block (                         -- packed last, so that the types are read without it
    idx         INTEGER PRIMARY KEY,         -- 0-based
    type_codes  BLOB NOT NULL,               -- which types occur
    type_column BLOB NOT NULL,               -- which each event is
    packed      BLOB NOT NULL                -- the replay block
) STRICT;
