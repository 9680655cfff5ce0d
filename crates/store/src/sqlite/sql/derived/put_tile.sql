INSERT INTO tile (level, idx, data) VALUES (?1, ?2, ?3)
ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data;
