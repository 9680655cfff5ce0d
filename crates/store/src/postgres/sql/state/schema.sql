-- How far consumers have come, who holds which work, and what deliveries remember.

CREATE TABLE IF NOT EXISTS cursor (
  name TEXT COLLATE "C" PRIMARY KEY,
  position BIGINT NOT NULL,
  moved_by TEXT NOT NULL
);

-- A lease that was given back stays, ended: its number only grows.
CREATE TABLE IF NOT EXISTS lease (
  name TEXT COLLATE "C" PRIMARY KEY,
  holder TEXT NOT NULL,
  fence BIGINT NOT NULL,
  ends_at_ms BIGINT NOT NULL
);

-- Small texts in which deliveries keep what they must remember.
CREATE TABLE IF NOT EXISTS document (
  kind TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, name)
);

-- The last version that any document was given: none is given twice, though a document was deleted.
-- Who changes documents holds the row until the transaction ends.
CREATE TABLE IF NOT EXISTS document_version (
  number INT PRIMARY KEY CHECK (number = 1),
  last BIGINT NOT NULL
);

INSERT INTO document_version (number, last) VALUES (1, 0) ON CONFLICT DO NOTHING;
