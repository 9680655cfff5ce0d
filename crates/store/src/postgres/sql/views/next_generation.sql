UPDATE views_meta SET generation = generation + 1 RETURNING generation
