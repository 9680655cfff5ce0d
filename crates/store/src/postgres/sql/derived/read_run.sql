SELECT filter, directory FROM run WHERE id = $1
