-- What others may do with an SQL view, as the statements that grant it.
SELECT format(
    'GRANT %s ON %I TO %s%s',
    privilege_type,
    relname,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
)
FROM pg_class, aclexplode(relacl)
WHERE oid = to_regclass($1) AND grantee <> relowner
