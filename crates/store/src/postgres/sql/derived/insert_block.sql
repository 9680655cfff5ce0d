INSERT INTO block (idx, type_codes, type_column, packed) VALUES ($1, $2, $3, $4)
