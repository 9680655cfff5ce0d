-- $1 name, $2 holder, $3 from, $4 to. Moved past `from` by the same holder, it is where a step led
-- whose answer was lost.
UPDATE cursor SET position = $4, moved_by = $2
WHERE name = $1 AND (position = $3 OR (moved_by = $2 AND position BETWEEN $3 AND $4))
