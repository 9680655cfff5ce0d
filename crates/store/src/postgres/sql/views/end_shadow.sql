DELETE FROM views_rebuild WHERE view = $1
