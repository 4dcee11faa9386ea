-- Latest messages of a conversation; one that is still queued has the reason of its last attempt.
-- $1 conversation, $2 limit
SELECT
    latest.id, latest.direction, latest.sent_at_ms, latest.stored_at_ms, latest.kind, latest.text,
    latest.origin, latest.wamid, latest.decision, latest.explanation, latest.rule_id,
    latest.reply_to_id, latest.rules_version, latest.outbox_state, latest.delivery_status,
    coalesce(latest.send_error, waiting.reason) AS send_error, latest.error_code,
    latest.replaced_by_id,
    waiting.id AS outbox_id, media.path, media.error, latest.phone_number_id, latest.quoted_wamid,
    CASE
        WHEN latest.direction = 'in' AND instr(latest.raw, '"referral"') > 0 THEN latest.raw
    END AS raw_with_ad
FROM (
    SELECT *
    FROM messages
    WHERE conversation_id = $1
    ORDER BY id DESC
    LIMIT $2
) AS latest
LEFT JOIN media ON media.message_id = latest.id
LEFT JOIN outbox AS waiting ON waiting.conversation_id = $1
    AND waiting.kind = 'message'
    AND waiting.message_id = latest.id
ORDER BY latest.id;
