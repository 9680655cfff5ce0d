-- One message, so one transaction: whole or not at all. Those who create at once take turns.
SELECT pg_advisory_xact_lock(hashtextextended('daicho ' || current_setting('search_path'), 0));

-- A role that may not create schemas finds the one that was made for it.
DO $$
BEGIN
    IF to_regnamespace(current_setting('search_path')) IS NULL THEN
        EXECUTE 'CREATE SCHEMA ' || current_setting('search_path');
    END IF;
END
$$;

-- Keys of people. One row for making and erasing a key, so that the index on the name decides
-- between those who do it at once, and neither needs a lock that outlives its statement.
CREATE TABLE IF NOT EXISTS person_key (
    name     TEXT COLLATE "C" PRIMARY KEY,
    -- Nothing: the person was erased, on purpose and for ever.
    secret   BYTEA CHECK (octet_length(secret) = 32),
    -- Whether there ever was a key.
    was_made BOOLEAN NOT NULL,
    CHECK (was_made OR secret IS NULL)
);

-- Changes with every erasure: it tells every process that what it holds in memory may be gone. A
-- row and not a sequence or an identity, whose numbers may become visible out of order.
CREATE TABLE IF NOT EXISTS generation (
    one    BOOLEAN PRIMARY KEY DEFAULT true CHECK (one),
    number BIGINT NOT NULL
);
INSERT INTO generation (number) VALUES (0) ON CONFLICT DO NOTHING;

-- Keys of the book itself.
CREATE TABLE IF NOT EXISTS book_key (
    purpose TEXT COLLATE "C" PRIMARY KEY,
    secret  BYTEA NOT NULL CHECK (octet_length(secret) = 32)
);
