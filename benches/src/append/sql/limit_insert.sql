-- One batch in one round trip. Parameters: 1 the first position, 2 the leaves, 3 the texts, 4 the
-- order of the texts: offset << 34 | bytes of the envelope << 21 | bytes of the data.
BEGIN IMMEDIATE;
INSERT INTO log (position, leaf, envelope, data)
SELECT
  ?1 + entry.key,
  substr(?2, entry.key * 32 + 1, 32),
  CAST(substr(?3, (entry.value >> 34) + 1, entry.value >> 21 & 8191) AS TEXT),
  CAST(substr(?3, (entry.value >> 34) + 1 + (entry.value >> 21 & 8191), entry.value & 2097151) AS TEXT)
FROM json_each(?4) AS entry;
COMMIT;
