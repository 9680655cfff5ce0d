SELECT name, version, fingerprint, cursor, as_of, rows FROM views WHERE name = ?1
