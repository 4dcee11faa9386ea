-- Puts rows to the front. The claim token of the last attempt stays until the next claim: until
-- then a receipt that brings it back proves that the message was sent.
-- $1 ids with new ends, $2 now
UPDATE messages
SET outbox_state = 'queued', send_error = NULL, error_code = NULL
FROM json_each($1) AS item
JOIN outbox ON outbox.id = item.value->>'id'
WHERE messages.id = outbox.message_id AND outbox.kind = 'message';

UPDATE outbox
SET
    state = 'queued',
    lease_until_ms = NULL,
    expires_at_ms = item.value->>'expires_at_ms',
    due_at_ms = min(
        $2,
        coalesce(
            (SELECT min(due_at_ms) FROM outbox WHERE kind = 'message' AND state = 'queued'), $2
        ),
        coalesce((SELECT min(due_at_ms) FROM outbox WHERE kind = 'download'), $2)
    )
FROM json_each($1) AS item
WHERE outbox.id = item.value->>'id';
