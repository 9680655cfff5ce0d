INSERT OR REPLACE INTO views_rebuild (
    view, generation, turn, version, fingerprint, origin, target, as_of, loaded, rows, cursor, indexed
) VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, ?6, 0)
