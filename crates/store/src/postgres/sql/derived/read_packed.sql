SELECT packed FROM block WHERE idx = $1
