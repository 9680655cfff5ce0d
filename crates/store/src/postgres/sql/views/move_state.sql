UPDATE views SET cursor = $2, as_of = $3, rows = $4 WHERE name = $1
