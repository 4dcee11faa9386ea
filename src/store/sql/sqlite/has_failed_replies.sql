-- Whether a reply failed for which it is not settled yet what is sent in its place.
-- no parameters
SELECT EXISTS (
    SELECT 1
    FROM messages
    WHERE instead IS NOT NULL AND error_class > ''
);
