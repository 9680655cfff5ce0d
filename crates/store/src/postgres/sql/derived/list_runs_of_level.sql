-- $1 level, $2 how many
SELECT id, level, first_block, blocks, pages FROM run
WHERE level = $1 ORDER BY first_block LIMIT $2
