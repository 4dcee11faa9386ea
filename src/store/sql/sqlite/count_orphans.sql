-- Number of rows that refer to missing rows.
-- no parameters
SELECT count(*)
FROM pragma_foreign_key_check;
