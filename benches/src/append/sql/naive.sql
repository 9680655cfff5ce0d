-- Log and tags as they are usually kept: the tags in a B-tree of their own, on the append path.
CREATE TABLE log (
  position INTEGER PRIMARY KEY,
  envelope TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;

CREATE TABLE tag (
  tag TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (tag, position)
) STRICT, WITHOUT ROWID;
