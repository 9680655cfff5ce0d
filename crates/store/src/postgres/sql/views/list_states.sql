SELECT name, version, fingerprint, generation, cursor, as_of, rows
FROM views
WHERE to_regclass('view_' || name) IS NOT NULL
ORDER BY name
