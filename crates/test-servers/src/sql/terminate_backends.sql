-- Ends every client's backend but this one, and waits up to 10 s for each to be gone.
SELECT pid, pg_terminate_backend(pid, 10000)
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
