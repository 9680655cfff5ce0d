-- The record: the log, its head, and what the book is. Rows of the log are only ever added.

CREATE TABLE log (
  position BIGINT PRIMARY KEY,
  leaf BYTEA NOT NULL,
  envelope TEXT COLLATE "C" NOT NULL,
  data TEXT COLLATE "C" NOT NULL
);

-- One row that every append writes: room in its page keeps it there.
CREATE TABLE head (
  id SMALLINT PRIMARY KEY CHECK (id = 1),
  position BIGINT NOT NULL,
  frontier BYTEA NOT NULL,
  recorded_at_us BIGINT NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE meta (
  id SMALLINT PRIMARY KEY CHECK (id = 1),
  book_id BYTEA NOT NULL CHECK (octet_length(book_id) = 16),
  schema_version BIGINT NOT NULL,
  created_by TEXT NOT NULL
);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE TRIGGER log_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON log
EXECUTE FUNCTION refuse('an event is never changed or deleted: correct it by another event');

CREATE TRIGGER head_moves_forward_only BEFORE UPDATE ON head FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.position <= OLD.position OR NEW.recorded_at_us < OLD.recorded_at_us)
EXECUTE FUNCTION refuse('the head of the book only moves forward');

CREATE TRIGGER head_is_never_deleted BEFORE DELETE OR TRUNCATE ON head
EXECUTE FUNCTION refuse('the head of the book is never deleted');

CREATE TRIGGER book_keeps_its_id BEFORE UPDATE ON meta FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.book_id <> OLD.book_id OR NEW.schema_version < OLD.schema_version)
EXECUTE FUNCTION refuse('a book keeps its id, and its schema never grows older');

CREATE TRIGGER book_is_never_deleted BEFORE DELETE OR TRUNCATE ON meta
EXECUTE FUNCTION refuse('a book keeps its id');
