-- A page that a disk gave back in part holds a row without its number, or none.
SELECT book FROM views_meta WHERE typeof(generation) = 'integer' AND typeof(book) = 'blob'
