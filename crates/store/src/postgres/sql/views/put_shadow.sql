INSERT INTO views_shadow (view, generation, indexed) VALUES ($1, $2, FALSE)
ON CONFLICT (view) DO UPDATE SET generation = excluded.generation, indexed = FALSE
