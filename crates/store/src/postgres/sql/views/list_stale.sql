-- Tables of a view that neither it nor a rebuild under way needs.
SELECT relname::text FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind = 'r'
    AND relname ~ ('^rows_' || $1 || '_[0-9]+$')
    AND relname <> 'rows_' || $1 || '_' || $2::bigint
    AND relname NOT IN (
        SELECT 'rows_' || view || '_' || generation FROM views_rebuild WHERE view = $1
    )
