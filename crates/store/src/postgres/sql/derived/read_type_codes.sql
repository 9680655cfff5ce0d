-- $1 first block, $2 the block after the last
SELECT type_codes FROM block WHERE idx >= $1 AND idx < $2 ORDER BY idx
