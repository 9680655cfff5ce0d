-- Whose turn it is to write what is derived. Processes take turns by locking a row.

CREATE TABLE turn (
  what TEXT PRIMARY KEY
);

INSERT INTO turn (what) VALUES ('derived');
