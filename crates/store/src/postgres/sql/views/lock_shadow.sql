SELECT generation, indexed FROM views_shadow WHERE view = $1 FOR UPDATE
