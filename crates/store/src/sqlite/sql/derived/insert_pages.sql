-- ?1 id of the first page, ?2 the pages one after the other, ?3 JSON array of [start from 1, bytes]
INSERT INTO page (id, data)
SELECT ?1 + spans.key,
       substr(?2, json_extract(spans.value, '$[0]'), json_extract(spans.value, '$[1]'))
FROM json_each(?3) AS spans;
