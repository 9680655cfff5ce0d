-- The record's table as it stands in a book, without index, triggers and head.
CREATE TABLE log (
  position INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL,
  envelope TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
