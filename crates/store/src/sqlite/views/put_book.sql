INSERT INTO views_meta (number, book, generation) VALUES (1, ?1, 0)
ON CONFLICT (number) DO UPDATE SET
    book = excluded.book, generation = iif(typeof(generation) = 'integer', generation, 0)
