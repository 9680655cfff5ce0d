-- Whether this role acts for the owner of a schema. $1 the schema.
SELECT current_user::TEXT AS role, pg_has_role(nspowner, 'USAGE') AS owns
FROM pg_namespace WHERE nspname = $1
