SELECT name, secret FROM person_key ORDER BY name
