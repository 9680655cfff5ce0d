-- $1 the channel, $2 the payload. A hint need not survive a crash: its commit waits for no sync.
SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)
