-- Conversations that match a search best, the latest first; a phone number matches from six digits
-- on.
-- $1 part of a name or an id or an empty text, $2 limit, $3 digits of a phone number
WITH matches AS MATERIALIZED (
    SELECT
        v.id,
        CASE
            WHEN CAST(v.id AS TEXT) = $1 THEN 1
            WHEN EXISTS (
                SELECT 1
                FROM contact_phones AS phone
                WHERE phone.contact_id = c.id AND phone.wa_id = $3
            ) THEN 2
            WHEN EXISTS (
                SELECT 1
                FROM contact_user_ids AS person
                WHERE person.contact_id = c.id AND person.user_id = $1
            ) THEN 2
            ELSE 3
        END AS rank
    FROM conversations AS v
    JOIN contacts AS c ON c.id = v.contact_id
    WHERE $1 = ''
        OR instr(lower(coalesce(c.name, '')), lower($1)) > 0
        OR (
            length($3) > 5
            AND EXISTS (
                SELECT 1
                FROM contact_phones AS phone
                WHERE phone.contact_id = c.id AND instr(phone.wa_id, $3) > 0
            )
        )
        OR EXISTS (
            SELECT 1
            FROM contact_user_ids AS person
            WHERE person.contact_id = c.id AND person.user_id = $1
        )
        OR CAST(v.id AS TEXT) = $1
)
SELECT
    v.id, coalesce(c.name, '+' || c.wa_id, c.user_id) AS contact, c.wa_id AS phone,
    v.phone_number_id,
    (
        SELECT text
        FROM messages AS m
        WHERE m.conversation_id = v.id
        ORDER BY m.id DESC
        LIMIT 1
    ) AS last_message,
    v.last_message_ms, v.inbound_count,
    (
        SELECT min(inbound.sent_at_ms)
        FROM messages AS inbound
        WHERE inbound.conversation_id = v.id
            AND inbound.direction = 'in'
            AND inbound.origin = 'contact'
            AND inbound.id > coalesce(
                (
                    SELECT coalesce(
                            outbound.reply_to_id, outbound.replaced_by_id, outbound.id
                        ) AS answered_id
                    FROM messages AS outbound
                    WHERE outbound.conversation_id = v.id AND outbound.direction = 'out'
                    GROUP BY answered_id
                    HAVING total(
                        outbound.replaced_by_id IS NULL
                        AND (
                            outbound.outbox_state IN ('dead', 'expired', 'held')
                            OR coalesce(outbound.delivery_status, '') = 'failed'
                        )
                    ) = 0
                    ORDER BY answered_id DESC
                    LIMIT 1
                ),
                0
            )
    ) AS unanswered_since_ms,
    coalesce(v.window_closed_ms, v.last_inbound_ms + 86400000) AS window_open_until_ms
FROM matches
JOIN conversations AS v ON v.id = matches.id
JOIN conversation_contacts AS c ON c.conversation_id = v.id
WHERE matches.rank = (SELECT min(rank) FROM matches)
ORDER BY v.last_message_ms DESC, v.id DESC
LIMIT $2;
