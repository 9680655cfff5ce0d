-- One batch. Parameters: 1 the head held, 2..4 the new head (position, frontier, time), 5 the order
-- of the texts, 6 the leaves, 7 all texts in one blob. See `batch.sql`.
INSERT INTO batch (before, position, frontier, recorded_at_us, entries, leaves, texts)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
