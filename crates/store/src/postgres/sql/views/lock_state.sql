SELECT name, version, fingerprint, generation, cursor, as_of, rows
FROM views
WHERE name = $1 AND to_regclass('view_' || name) IS NOT NULL
FOR UPDATE
