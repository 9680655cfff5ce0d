-- ?1 kind, ?2 name, ?3 version, ?4 body.
INSERT INTO document (kind, name, version, body) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (kind, name) DO UPDATE SET version = excluded.version, body = excluded.body
