SELECT position, leaf, envelope, data FROM log
WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
