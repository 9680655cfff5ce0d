UPDATE meta SET format = 0;
