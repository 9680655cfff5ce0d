SELECT format, book, packer, block_events, incarnation, generation, sealed_to, next_run FROM meta
