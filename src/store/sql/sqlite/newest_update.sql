-- Time of the newest inbound message or account event.
-- no parameters
SELECT max(at)
FROM (
    SELECT (
        SELECT stored_at_ms
        FROM messages
        WHERE direction = 'in'
        ORDER BY id DESC
        LIMIT 1
    ) AS at
    UNION ALL
    SELECT (SELECT received_at_ms FROM account_events ORDER BY id DESC LIMIT 1)
) AS newest;
