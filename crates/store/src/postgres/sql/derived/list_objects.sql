-- $1 the schema. Views before the tables that they read.
SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END AS kind,
  relname::TEXT AS name
FROM pg_class
WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
ORDER BY relkind DESC
