-- The record as rows, in order.
SELECT envelope, data FROM log ORDER BY position;
