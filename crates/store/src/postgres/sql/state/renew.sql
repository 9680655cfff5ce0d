-- $1 name, $2 holder, $3 fence, $4 milliseconds.
UPDATE lease SET ends_at_ms = FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT + $4
WHERE name = $1 AND holder = $2 AND fence = $3
