-- Whether the tables are there without which a file is no database of replyd.
-- no parameters
SELECT count(*) = 5
FROM sqlite_schema
WHERE type = 'table'
    AND name IN ('_sqlx_migrations', 'conversations', 'messages', 'outbox', 'service_state');
