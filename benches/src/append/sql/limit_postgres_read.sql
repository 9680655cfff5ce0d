SELECT data FROM row_limit.log
