SELECT type_codes, type_column, packed FROM block WHERE idx = $1
