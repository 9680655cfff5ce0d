SELECT generation, turn, version, fingerprint, origin, target, as_of, loaded, rows, cursor, indexed
FROM views_rebuild
WHERE view = $1
FOR UPDATE
