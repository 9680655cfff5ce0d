UPDATE views_rebuild SET indexed = TRUE WHERE view = $1
