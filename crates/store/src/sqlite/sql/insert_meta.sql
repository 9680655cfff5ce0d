-- ?1 the book's id, ?2 version of the schema, ?3 what made it, ?4 the tree of an empty book
INSERT INTO meta (id, book_id, schema_version, created_by) VALUES (1, ?1, ?2, ?3);
INSERT INTO head (id, position, frontier, recorded_at_us) VALUES (1, 0, ?4, 0);
