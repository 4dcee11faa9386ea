-- Gives the room of the filler back.
-- no parameters
DELETE FROM filler;
