-- The derived form of one book's log. Everything here can be dropped and is made again.

CREATE TABLE meta (                          -- one row
    id           SMALLINT PRIMARY KEY CHECK (id = 1),
    format       BIGINT NOT NULL,            -- version of these tables and their values
    book         BYTEA  NOT NULL,            -- 16 bytes: the book this was derived from
    packer       TEXT   NOT NULL,            -- fingerprint of what packed the replay blocks
    block_events BIGINT NOT NULL,            -- events a block
    incarnation  BYTEA  NOT NULL,            -- tells this state from one made anew in its place
    generation   BIGINT NOT NULL,            -- grows whenever runs are taken away
    sealed_to    BIGINT NOT NULL,            -- position of the last sealed event
    next_run     BIGINT NOT NULL             -- ids of runs, and so of pages, are never used twice
);

CREATE TABLE run (                           -- a sorted run of the key index
    id          BIGINT PRIMARY KEY,
    level       BIGINT NOT NULL,             -- 0, 1, 2: over 1, 16, 256 blocks
    first_block BIGINT NOT NULL UNIQUE,
    blocks      BIGINT NOT NULL,
    keys        BIGINT NOT NULL,             -- distinct keys
    pages       BIGINT NOT NULL,
    filter      BYTEA  NOT NULL,
    directory   BYTEA  NOT NULL              -- first key and offset of each page
);

CREATE TABLE page (
    id   BIGINT PRIMARY KEY,                 -- id of the run × 2^24 + number of the page in it
    data BYTEA NOT NULL
);

CREATE TABLE tile (                          -- C2SP tlog-tiles; the last of a level may be partial
    level BIGINT NOT NULL,
    idx   BIGINT NOT NULL,
    data  BYTEA  NOT NULL,
    PRIMARY KEY (level, idx)
);

CREATE TABLE block (
    idx         BIGINT PRIMARY KEY,          -- 0-based
    type_codes  BYTEA NOT NULL,              -- which types occur
    type_column BYTEA NOT NULL,              -- which each event is
    packed      BYTEA NOT NULL               -- the replay block
);

-- Hashes and what is packed already do not grow smaller by compressing them.
ALTER TABLE run ALTER filter SET STORAGE EXTERNAL;
ALTER TABLE page ALTER data SET STORAGE EXTERNAL;
ALTER TABLE tile ALTER data SET STORAGE EXTERNAL;
ALTER TABLE block ALTER packed SET STORAGE EXTERNAL;
