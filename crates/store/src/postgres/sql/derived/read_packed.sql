-- $1 block, $2 incarnation
SELECT meta.incarnation = $2, block.packed
FROM meta LEFT JOIN block ON block.idx = $1
