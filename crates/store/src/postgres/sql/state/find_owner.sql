-- Who owns the state of a book that was made before it had all of its tables, and whether this role
-- may act for the owner; no row where nothing is missing. $1 the schema, $2 the tables.
SELECT pg_get_userbyid(nspowner)::TEXT AS owner, current_user::TEXT AS role,
  pg_has_role(nspowner, 'USAGE') AS owns
FROM pg_namespace AS namespace
WHERE nspname = $1
  AND EXISTS (
    SELECT FROM UNNEST($2::TEXT[]) AS needed (name)
    WHERE NOT EXISTS (
      SELECT FROM pg_class WHERE relnamespace = namespace.oid AND relname = needed.name
    )
  )
