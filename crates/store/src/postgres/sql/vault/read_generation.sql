SELECT number FROM generation
