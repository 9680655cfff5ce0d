SELECT
    generation.number                                          AS generation,
    person_key.name IS NOT NULL AND person_key.secret IS NULL  AS erased,
    person_key.secret                                          AS secret
FROM generation LEFT JOIN person_key ON person_key.name = $1
