-- Inserts a set of app secrets, unless it is the latest one.
-- $1 fingerprint, $2 now
INSERT INTO app_secret_sets (fingerprint, since_ms)
SELECT $1, $2
WHERE $1 IS NOT (
    SELECT fingerprint
    FROM app_secret_sets
    ORDER BY id DESC
    LIMIT 1
);
