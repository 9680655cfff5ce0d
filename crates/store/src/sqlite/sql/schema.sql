-- The record: the log, its head, and what the book is. Rows of the log are only ever added.

CREATE TABLE log (
  position INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL,
  envelope TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;

CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  position INTEGER NOT NULL,
  frontier BLOB NOT NULL,
  recorded_at_us INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  book_id BLOB NOT NULL CHECK (length(book_id) = 16),
  schema_version INTEGER NOT NULL,
  created_by TEXT NOT NULL
) STRICT;

CREATE TRIGGER log_is_never_updated BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'an event is never changed: correct it by another event'); END;

CREATE TRIGGER log_is_never_deleted BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'an event is never deleted: correct it by another event'); END;

-- INSERT OR REPLACE would delete without the trigger above.
CREATE TRIGGER log_is_never_replaced BEFORE INSERT ON log
WHEN EXISTS (SELECT 1 FROM log WHERE position = NEW.position)
BEGIN SELECT RAISE(ABORT, 'an event is never replaced: correct it by another event'); END;

CREATE TRIGGER head_moves_forward_only BEFORE UPDATE ON head
WHEN NEW.id <> OLD.id OR NEW.position <= OLD.position OR NEW.recorded_at_us < OLD.recorded_at_us
BEGIN SELECT RAISE(ABORT, 'the head of the book only moves forward'); END;

CREATE TRIGGER head_is_never_deleted BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'the head of the book is never deleted'); END;

CREATE TRIGGER head_is_never_replaced BEFORE INSERT ON head
WHEN EXISTS (SELECT 1 FROM head)
BEGIN SELECT RAISE(ABORT, 'the book has one head'); END;

CREATE TRIGGER book_keeps_its_id BEFORE UPDATE ON meta
WHEN NEW.id <> OLD.id OR NEW.book_id <> OLD.book_id OR NEW.schema_version < OLD.schema_version
BEGIN SELECT RAISE(ABORT, 'a book keeps its id, and its schema never grows older'); END;

CREATE TRIGGER book_is_never_deleted BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'a book keeps its id'); END;
