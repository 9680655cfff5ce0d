UPDATE views_rebuild SET loaded = $2, rows = rows + $3 WHERE view = $1
