-- Who reads a shadow shares this row: nobody drops, indexes or swaps it meanwhile.
SELECT generation, turn, version, fingerprint, origin, target, as_of, loaded, rows, cursor, indexed
FROM views_rebuild
WHERE view = $1
FOR SHARE
