-- Number of rows and read marks that delivery has not finished.
-- no parameters
SELECT
    (SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending', 'unknown'))
    + (SELECT count(*) FROM read_marks);
