-- A view whose SQL view somebody dropped is not there, whatever the catalogue says.
SELECT name, version, fingerprint, generation, cursor, as_of, rows
FROM views
WHERE name = $1 AND to_regclass('view_' || name) IS NOT NULL
