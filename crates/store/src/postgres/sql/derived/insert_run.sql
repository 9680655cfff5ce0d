INSERT INTO run (id, level, first_block, blocks, keys, pages, filter, directory)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
