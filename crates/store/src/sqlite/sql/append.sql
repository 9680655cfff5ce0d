-- One batch, one round trip. Parameters: 1 the head held, 2..4 the new head (position, frontier,
-- time), 5 the order of the texts, 6 the leaves, 7 all texts in one blob. An entry of the order
-- is offset << 34 | bytes of the envelope << 21 | bytes of the data. When another process has
-- moved the head, neither statement does anything and no row comes back.
BEGIN IMMEDIATE;
INSERT INTO log (position, leaf, envelope, data)
SELECT
  ?1 + 1 + entry.key,
  substr(?6, entry.key * 32 + 1, 32),
  CAST(substr(?7, (entry.value >> 34) + 1, entry.value >> 21 & 8191) AS TEXT),
  CAST(substr(?7, (entry.value >> 34) + 1 + (entry.value >> 21 & 8191), entry.value & 2097151) AS TEXT)
FROM json_each(?5) AS entry
WHERE (SELECT position FROM head) = ?1;
UPDATE head SET position = ?2, frontier = ?3, recorded_at_us = ?4 WHERE position = ?1
RETURNING position;
COMMIT;
