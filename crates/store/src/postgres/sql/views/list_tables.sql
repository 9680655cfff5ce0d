SELECT relname::text FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident($1)) AND relkind = 'r'
    AND relname ~ '^rows_[a-z_]+_[0-9]+$'
