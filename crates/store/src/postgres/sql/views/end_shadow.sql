DELETE FROM views_shadow WHERE view = $1
