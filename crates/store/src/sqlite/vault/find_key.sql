SELECT
    (SELECT coalesce(max(number), 0) FROM erased)     AS generation,
    EXISTS (SELECT 1 FROM erased WHERE name = ?1)     AS erased,
    (SELECT secret FROM person_key WHERE name = ?1)   AS secret
