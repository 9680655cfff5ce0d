UPDATE lease SET ends_at_ms = 0 WHERE name = ?1 AND holder = ?2 AND fence = ?3
