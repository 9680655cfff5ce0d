-- $1 name, $2 holder, $3 milliseconds. No row comes back while another holds it.
INSERT INTO lease AS held (name, holder, fence, ends_at_ms)
VALUES ($1, $2, 1, FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT + $3)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, fence = held.fence + 1, ends_at_ms = excluded.ends_at_ms
WHERE held.ends_at_ms <= excluded.ends_at_ms - $3 OR held.holder = excluded.holder
RETURNING fence
