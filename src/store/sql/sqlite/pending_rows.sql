-- Number of outbox rows by kind and state, those of the copy apart.
-- $1 last row of the copy
SELECT kind, state, id <= $1 AS is_from_copy, count(*) AS rows
FROM outbox
GROUP BY kind, state, is_from_copy
ORDER BY is_from_copy DESC, kind, state;
