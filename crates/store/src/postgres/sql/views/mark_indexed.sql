UPDATE views_shadow SET indexed = TRUE WHERE view = $1
