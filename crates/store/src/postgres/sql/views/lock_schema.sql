-- Held to the end of the transaction: of the processes that open a new book at once, one makes its
-- tables.
SELECT pg_advisory_xact_lock(hashtextextended('daicho views ' || $1, 0))
