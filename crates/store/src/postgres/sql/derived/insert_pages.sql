-- $1 id of the first page, $2 the pages
INSERT INTO page (id, data)
SELECT $1 + entry.number - 1, entry.data
FROM UNNEST($2::BYTEA[]) WITH ORDINALITY AS entry (data, number)
