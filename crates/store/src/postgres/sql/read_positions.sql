SELECT position, leaf, envelope, data FROM log WHERE position = ANY ($1) ORDER BY position
