SELECT name FROM sqlite_schema
WHERE type = 'table' AND (name LIKE 'view\_%' ESCAPE '\' OR name LIKE 'shadow\_%' ESCAPE '\')
