UPDATE views_rebuild SET turn = $2 WHERE view = $1
