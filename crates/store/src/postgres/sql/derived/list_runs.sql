SELECT id, level, first_block, blocks, pages FROM run ORDER BY first_block
