-- App secrets of the last start.
-- no parameters
SELECT fingerprint, since_ms
FROM app_secret_sets
ORDER BY id DESC
LIMIT 1;
