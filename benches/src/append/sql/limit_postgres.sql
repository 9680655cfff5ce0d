-- The record's table as it stands in a book, without index, triggers and head.
CREATE SCHEMA row_limit;
CREATE TABLE row_limit.log (
  position BIGINT NOT NULL,
  leaf BYTEA NOT NULL,
  envelope TEXT NOT NULL,
  data TEXT NOT NULL
);
