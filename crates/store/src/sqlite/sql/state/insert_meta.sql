INSERT OR IGNORE INTO meta (number, book, schema_version) VALUES (1, ?1, ?2)
