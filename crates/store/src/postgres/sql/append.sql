-- One batch in one statement, and so in one transaction. $1 the head held, $2..$4 the new head
-- (position, frontier, time), $5..$7 leaves, envelopes and data. When another process has moved
-- the head, no row is written.
WITH moved AS (
  UPDATE head SET position = $2, frontier = $3, recorded_at_us = $4
  WHERE position = $1
  RETURNING id
)
INSERT INTO log (position, leaf, envelope, data)
SELECT $1 + entry.number, entry.leaf, entry.envelope, entry.data
FROM moved
CROSS JOIN UNNEST($5::BYTEA[], $6::TEXT[], $7::TEXT[]) WITH ORDINALITY
  AS entry (leaf, envelope, data, number)
