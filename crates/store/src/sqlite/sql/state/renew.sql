-- ?1 name, ?2 holder, ?3 fence, ?4 milliseconds.
UPDATE lease SET ends_at_ms = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?4
WHERE name = ?1 AND holder = ?2 AND fence = ?3
