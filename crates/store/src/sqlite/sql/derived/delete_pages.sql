-- ?1 first id, ?2 last id
DELETE FROM page WHERE id BETWEEN ?1 AND ?2;
