-- $1 first id, $2 last id
SELECT data FROM page WHERE id BETWEEN $1 AND $2 ORDER BY id
