-- One batch in one statement and one transaction. $1 the first position, $2..$4 the rows.
INSERT INTO row_limit.log (position, leaf, envelope, data)
SELECT $1 + entry.number - 1, entry.leaf, entry.envelope, entry.data
FROM UNNEST($2::BYTEA[], $3::TEXT[], $4::TEXT[]) WITH ORDINALITY
  AS entry (leaf, envelope, data, number)
