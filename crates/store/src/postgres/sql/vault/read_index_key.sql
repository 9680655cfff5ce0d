SELECT secret FROM book_key WHERE purpose = $1
