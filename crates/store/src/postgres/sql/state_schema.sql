-- What is neither record nor derived: whose turn it is. Processes take turns by locking a row.

CREATE TABLE turn (
  what TEXT PRIMARY KEY
);

INSERT INTO turn (what) VALUES ('derived');
