-- The first of several wins; the others wait until it is committed. An erased person's row stays.
INSERT INTO person_key (name, secret, was_made) VALUES ($1, $2, true) ON CONFLICT (name) DO NOTHING
