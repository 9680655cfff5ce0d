INSERT INTO views (name, version, fingerprint, generation, cursor, as_of, rows)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE SET
    version = excluded.version, fingerprint = excluded.fingerprint,
    generation = excluded.generation, cursor = excluded.cursor, as_of = excluded.as_of,
    rows = excluded.rows
