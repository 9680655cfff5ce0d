SELECT position, frontier, recorded_at_us, (SELECT max(position) FROM log) AS last FROM head
