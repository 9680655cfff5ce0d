INSERT INTO tile (level, idx, data)
SELECT entry.level, entry.idx, entry.data
FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BYTEA[]) AS entry (level, idx, data)
ON CONFLICT (level, idx) DO UPDATE SET data = excluded.data
