-- Who makes or drops tables holds this row: two processes never do it at once.
SELECT book FROM views_meta WHERE number = 1 FOR UPDATE
