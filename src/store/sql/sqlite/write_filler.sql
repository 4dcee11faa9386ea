-- Takes as much room as a batch of messages.
-- $1 number of bytes
INSERT INTO filler (id, bytes)
VALUES (1, zeroblob($1))
ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes;
