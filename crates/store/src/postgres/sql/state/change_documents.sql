-- $1 kinds, $2 names, $3 how each must be (0: not there; -1: there; else its version), $4 bodies
-- (null: it goes), $5 the new version, $6 how many documents a kind may have. The row of
-- `document_version` is held: nobody else changes any. Answers whether all were as they must be,
-- and a kind that would have too many: unless the answer is good, the caller takes all back.
WITH wanted AS MATERIALIZED (
  SELECT change.kind, change.name, change.expected, change.body, document.version AS found
  FROM UNNEST($1::TEXT[], $2::TEXT[], $3::BIGINT[], $4::TEXT[])
    AS change (kind, name, expected, body)
  LEFT JOIN document ON document.kind = change.kind AND document.name = change.name
), crowded AS (
  SELECT kind FROM wanted
  GROUP BY kind
  HAVING CASE WHEN bool_or(found IS NULL AND body IS NOT NULL)
    THEN (SELECT count(*) FROM document WHERE document.kind = wanted.kind)
      + count(*) FILTER (WHERE found IS NULL AND body IS NOT NULL)
      - count(*) FILTER (WHERE found IS NOT NULL AND body IS NULL) > $6
    ELSE FALSE END
  LIMIT 1
), gone AS (
  DELETE FROM document USING wanted
  WHERE document.kind = wanted.kind AND document.name = wanted.name AND wanted.body IS NULL
), put AS (
  INSERT INTO document (kind, name, version, body)
  SELECT kind, name, $5, body FROM wanted WHERE body IS NOT NULL
  ON CONFLICT (kind, name) DO UPDATE SET version = excluded.version, body = excluded.body
)
SELECT bool_and(CASE expected
    WHEN 0 THEN found IS NULL
    WHEN -1 THEN found IS NOT NULL
    ELSE found IS NOT DISTINCT FROM expected
  END) AS fits,
  (SELECT kind FROM crowded) AS crowded
FROM wanted
