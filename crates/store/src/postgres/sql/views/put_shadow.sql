INSERT INTO views_rebuild (
    view, generation, turn, version, fingerprint, origin, target, as_of, loaded, rows, cursor, indexed
) VALUES ($1, $2, $2, $3, $4, $5, $6, $7, 0, 0, $6, FALSE)
ON CONFLICT (view) DO UPDATE SET
    generation = excluded.generation, turn = excluded.turn, version = excluded.version,
    fingerprint = excluded.fingerprint, origin = excluded.origin, target = excluded.target,
    as_of = excluded.as_of, loaded = excluded.loaded, rows = excluded.rows,
    cursor = excluded.cursor, indexed = excluded.indexed
