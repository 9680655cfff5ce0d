SELECT name, version, fingerprint, cursor, as_of, rows FROM views ORDER BY name
