-- Steps of the schema that were applied, the oldest first.
-- no parameters
SELECT version, checksum
FROM _sqlx_migrations
WHERE success
ORDER BY version;
