-- Number of quarantined updates and the time of the newest.
-- no parameters
SELECT
    (SELECT count(*) FROM quarantine),
    (SELECT received_at_ms FROM quarantine ORDER BY id DESC LIMIT 1);
