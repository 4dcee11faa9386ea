-- no parameters
DELETE FROM filler;
