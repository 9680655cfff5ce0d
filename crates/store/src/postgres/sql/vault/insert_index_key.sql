INSERT INTO book_key (purpose, secret) VALUES ($1, $2) ON CONFLICT (purpose) DO NOTHING
