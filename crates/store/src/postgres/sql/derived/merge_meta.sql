UPDATE meta SET generation = generation + 1, next_run = next_run + 1
