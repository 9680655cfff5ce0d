-- $1 name, $2 position, $3 how many there may be.
INSERT INTO cursor (name, position, moved_by)
SELECT $1::TEXT, $2::BIGINT, '' WHERE (SELECT count(*) FROM cursor) < $3
ON CONFLICT DO NOTHING
