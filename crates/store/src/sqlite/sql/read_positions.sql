-- The rows at given positions (a JSON array, ascending) as one row; see read_range.sql.
SELECT
  json_group_array(position) AS positions,
  json_group_array(octet_length(leaf)) AS leaf_bytes,
  json_group_array(octet_length(envelope)) AS envelope_bytes,
  json_group_array(octet_length(data)) AS data_bytes,
  CAST(coalesce(group_concat(leaf, ''), '') AS BLOB) AS leaves,
  CAST(coalesce(group_concat(envelope, ''), '') AS BLOB) AS envelopes,
  CAST(coalesce(group_concat(data, ''), '') AS BLOB) AS datas
FROM (
  SELECT log.position, log.leaf, log.envelope, log.data
  FROM json_each(?1) AS wanted CROSS JOIN log ON log.position = wanted.value
  ORDER BY wanted.key
);
