-- The id only has to differ from every other book's; nothing that is kept secret hangs on it.
INSERT INTO meta (id, book_id, schema_version, created_by) VALUES (1, randomblob(16), ?1, ?2);
INSERT INTO head (id, position, frontier, recorded_at_us) VALUES (1, 0, ?3, 0);
