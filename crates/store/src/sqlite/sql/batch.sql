-- A batch as the writer's connection sees it: one row put in is one statement, and so one
-- transaction and one answer. An entry of the order is offset << 34 | bytes of the envelope << 21 |
-- bytes of the data. When another process has moved the head, nothing is written.
CREATE TEMP VIEW batch AS
SELECT 0 AS before, 0 AS position, 0 AS frontier, 0 AS recorded_at_us, 0 AS entries, 0 AS leaves,
  0 AS texts;

CREATE TEMP TRIGGER batch_is_appended INSTEAD OF INSERT ON batch
BEGIN
  SELECT RAISE(ABORT, 'head moved') WHERE (SELECT position FROM head) IS NOT NEW.before;
  INSERT INTO log (position, leaf, envelope, data)
  SELECT
    NEW.before + 1 + entry.key,
    substr(NEW.leaves, entry.key * 32 + 1, 32),
    CAST(substr(NEW.texts, (entry.value >> 34) + 1, entry.value >> 21 & 8191) AS TEXT),
    CAST(substr(NEW.texts, (entry.value >> 34) + 1 + (entry.value >> 21 & 8191), entry.value & 2097151) AS TEXT)
  FROM json_each(NEW.entries) AS entry;
  UPDATE head SET position = NEW.position, frontier = NEW.frontier,
    recorded_at_us = NEW.recorded_at_us;
END;
