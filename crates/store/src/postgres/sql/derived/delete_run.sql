-- $1 the run, $2 and $3 ids of its first and last page
WITH gone AS (DELETE FROM page WHERE id BETWEEN $2 AND $3)
DELETE FROM run WHERE id = $1
