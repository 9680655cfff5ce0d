INSERT OR IGNORE INTO person_key (name, secret)
SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM erased WHERE name = ?1)
