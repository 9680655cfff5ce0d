-- $1 name, $2 position, $3 how many there may be. No row is touched where it would be one more.
INSERT INTO cursor (name, position, moved_by)
SELECT $1::TEXT, $2::BIGINT, ''
WHERE EXISTS (SELECT 1 FROM cursor WHERE name = $1) OR (SELECT count(*) FROM cursor) < $3
ON CONFLICT (name) DO UPDATE SET position = excluded.position, moved_by = excluded.moved_by
