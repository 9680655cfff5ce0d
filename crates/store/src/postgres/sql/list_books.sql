-- Schemas that hold a book and that this role may see. $1 only this one; NULL: all.
SELECT namespace.nspname AS name
FROM pg_namespace AS namespace
JOIN pg_class AS log ON log.relnamespace = namespace.oid AND log.relname = 'log'
JOIN pg_class AS head ON head.relnamespace = namespace.oid AND head.relname = 'head'
WHERE has_schema_privilege(namespace.oid, 'USAGE')
  AND ($1::TEXT IS NULL OR namespace.nspname = $1)
ORDER BY namespace.nspname COLLATE "C"
