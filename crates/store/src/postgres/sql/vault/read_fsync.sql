SELECT current_setting('fsync') = 'on'
