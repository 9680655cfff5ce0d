-- A run of rows as one row: sqlx reads aggregated values several times faster than single rows.
SELECT
  json_group_array(position) AS positions,
  json_group_array(octet_length(leaf)) AS leaf_bytes,
  json_group_array(octet_length(envelope)) AS envelope_bytes,
  json_group_array(octet_length(data)) AS data_bytes,
  CAST(coalesce(group_concat(leaf, ''), '') AS BLOB) AS leaves,
  CAST(coalesce(group_concat(envelope, ''), '') AS BLOB) AS envelopes,
  CAST(coalesce(group_concat(data, ''), '') AS BLOB) AS datas
FROM (
  SELECT position, leaf, envelope, data FROM log
  WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3
);
