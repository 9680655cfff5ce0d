-- $1 names, $2 keys, none for who was erased. A key that is there stays, unless it was erased.
WITH counted AS (
    UPDATE generation SET number = number + 1
)
INSERT INTO person_key (name, secret, was_made)
SELECT entry.name, entry.secret, true
FROM UNNEST($1::TEXT[], $2::BYTEA[]) AS entry (name, secret)
ON CONFLICT (name) DO UPDATE SET secret = NULL WHERE excluded.secret IS NULL
