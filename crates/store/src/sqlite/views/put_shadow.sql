INSERT INTO views_shadow (view, generation, indexed) VALUES (?1, ?2, 0)
ON CONFLICT (view) DO UPDATE SET generation = excluded.generation, indexed = 0
