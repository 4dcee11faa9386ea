-- What is stored of messages that receipts are about. Lists are texts of JSON values with commas
-- between them, put together as texts: no value has to remember that it is JSON.
-- $1 keys of messages, $2 claim tokens
WITH known AS MATERIALIZED (
    SELECT m.id, m.message_key, m.delivery_status, v.contact_id
    FROM json_each($1) AS wanted
    CROSS JOIN messages AS m ON m.message_key = wanted.value
    CROSS JOIN conversations AS v ON v.id = m.conversation_id
    WHERE m.direction = 'out'
)
SELECT
    (
        SELECT group_concat(
            json_array(
                known.message_key, known.id, known.delivery_status, c.id, c.name, c.username
            )
        )
        FROM known
        CROSS JOIN contacts AS c ON c.id = known.contact_id
    ) AS messages,
    (
        SELECT group_concat(json_array(known.contact_id, phone.wa_id))
        FROM known
        CROSS JOIN contact_phones AS phone ON phone.contact_id = known.contact_id
    ) AS phones,
    (
        SELECT group_concat(json_array(known.contact_id, person.scope, person.user_id))
        FROM known
        CROSS JOIN contact_user_ids AS person ON person.contact_id = known.contact_id
    ) AS user_ids,
    (
        SELECT group_concat(json_array(message_key, participant))
        FROM (
            SELECT known.message_key, receipts.participant
            FROM known
            CROSS JOIN receipts ON receipts.message_id = known.id
            WHERE receipts.status = 'failed'
            UNION ALL
            SELECT receipts.message_key, receipts.participant
            FROM json_each($1) AS wanted
            CROSS JOIN receipts ON receipts.message_key = wanted.value
                AND receipts.message_id IS NULL
            WHERE receipts.status = 'failed'
        )
    ) AS failed,
    (
        SELECT group_concat(json_quote(claim_token))
        FROM outbox
        WHERE claim_token IN (SELECT value FROM json_each($2))
    ) AS claim_tokens;
