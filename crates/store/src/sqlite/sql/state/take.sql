-- ?1 name, ?2 holder, ?3 milliseconds. No row comes back while another holds it.
INSERT INTO lease (name, holder, fence, ends_at_ms)
VALUES (?1, ?2, 1, CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, fence = fence + 1, ends_at_ms = excluded.ends_at_ms
WHERE lease.ends_at_ms <= excluded.ends_at_ms - ?3 OR lease.holder = excluded.holder
RETURNING fence
