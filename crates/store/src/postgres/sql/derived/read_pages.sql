-- $1 page ids, $2 incarnation, $3 generation that the reader holds.
-- Whether the reader's list of runs still stands, and the pages: in one statement, so of one state.
SELECT meta.incarnation = $2 AND meta.generation = $3 AS current, ids.id, page.data
FROM meta CROSS JOIN UNNEST($1::BIGINT[]) AS ids (id) LEFT JOIN page ON page.id = ids.id
