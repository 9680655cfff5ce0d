SELECT name, secret FROM person_key
UNION ALL SELECT name, NULL FROM erased
ORDER BY name
