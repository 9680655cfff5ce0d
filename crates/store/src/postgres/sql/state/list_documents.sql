-- $1 kind, $2 the name before, $3 how many.
SELECT name, version, body FROM document WHERE kind = $1 AND name > $2 ORDER BY name LIMIT $3
