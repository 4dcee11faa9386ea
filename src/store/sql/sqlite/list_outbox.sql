-- Rows as an operator reads them, the oldest first.
-- $1 state or an empty text, $2 ids or NULL for all, $3 limit
SELECT
    o.id, o.conversation_id, o.kind, o.state, o.phone_number_id, o.host, o.due_at_ms,
    o.expires_at_ms, o.lease_until_ms, o.attempts, o.reason, o.tries,
    coalesce(c.name, '+' || c.wa_id, c.user_id) AS contact, c.wa_id AS phone,
    m.kind AS message_kind, m.text, m.rule_id, coalesce(m.stored_at_ms, a.asked_at_ms) AS since_ms,
    v.last_inbound_ms, v.window_closed_ms, v.opted_out_ms IS NOT NULL AS opted_out,
    CASE
        WHEN o.kind = 'message' AND o.state = 'queued' THEN (
            SELECT min(e.id)
            FROM outbox AS e
            WHERE e.conversation_id = o.conversation_id
                AND e.kind = 'message'
                AND e.state IN ('queued', 'sending', 'unknown')
                AND e.id < o.id
        )
    END AS behind
FROM outbox AS o
JOIN conversations AS v ON v.id = o.conversation_id
JOIN conversation_contacts AS c ON c.conversation_id = v.id
LEFT JOIN messages AS m ON m.id = o.message_id
LEFT JOIN actions AS a ON a.conversation_id = o.conversation_id AND a.number = o.action_number
WHERE ($1 = '' OR o.state = $1)
    AND ($2 IS NULL OR o.id IN (SELECT value FROM json_each($2)))
ORDER BY o.id
LIMIT $3;
