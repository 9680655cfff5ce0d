-- $1 position of the last sealed event
UPDATE meta SET sealed_to = $1, next_run = next_run + 1
