UPDATE views_rebuild SET cursor = $2, rows = rows + $3 WHERE view = $1
