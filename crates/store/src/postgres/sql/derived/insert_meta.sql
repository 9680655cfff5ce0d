-- $1 format, $2 book, $3 packer, $4 events a block. The random bytes need to be no secret.
INSERT INTO meta
    (id, format, book, packer, block_events, incarnation, generation, sealed_to, next_run)
VALUES (1, $1, $2, $3, $4, uuid_send(gen_random_uuid()), 0, 0, 1)
