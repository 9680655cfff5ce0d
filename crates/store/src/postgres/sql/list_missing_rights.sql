-- Which rights this role lacks on what is there. $1 schemas, $2 tables ('': the schema itself),
-- $3 rights. What is not there is another check's matter.
SELECT DISTINCT current_user::TEXT AS role,
  needed.privilege || ' on ' || needed.schema
    || CASE WHEN needed.name = '' THEN '' ELSE '.' || needed.name END AS missing
FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS needed (schema, name, privilege)
JOIN pg_namespace AS namespace ON namespace.nspname = needed.schema
LEFT JOIN pg_class AS class ON class.relnamespace = namespace.oid AND class.relname = needed.name
WHERE CASE WHEN needed.name = '' THEN NOT has_schema_privilege(namespace.oid, needed.privilege)
  ELSE NOT has_table_privilege(class.oid, needed.privilege) END
ORDER BY missing
