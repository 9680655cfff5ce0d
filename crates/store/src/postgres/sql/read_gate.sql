-- What the server is and promises; its clock in microseconds. Not `synchronous_commit`: each of our
-- connections switches it on.
SELECT
  current_setting('server_version_num')::INTEGER AS version,
  current_setting('fsync') AS fsync,
  current_setting('full_page_writes') AS full_page_writes,
  current_setting('server_encoding') AS encoding,
  pg_is_in_recovery() AS in_recovery,
  (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT AS now_us
