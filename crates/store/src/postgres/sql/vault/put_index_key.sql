-- $1 purpose, $2 the key. It stands for every value indexed by it, so it is only put where nothing is.
UPDATE book_key SET secret = $2
WHERE purpose = $1 AND NOT EXISTS (SELECT FROM person_key)
