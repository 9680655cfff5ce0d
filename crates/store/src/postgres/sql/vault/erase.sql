-- The generation's row stays locked until the commit: erasures commit in the order of its numbers.
WITH erasure AS (
    INSERT INTO person_key (name, secret, was_made) VALUES ($1, NULL, false)
    ON CONFLICT (name) DO UPDATE SET secret = NULL WHERE person_key.secret IS NOT NULL
    RETURNING was_made
),
counted AS (
    UPDATE generation SET number = number + 1
)
SELECT was_made FROM erasure
