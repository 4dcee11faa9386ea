-- Stored messages, contacts and conversations of a batch, the accounts of its numbers, and the last
-- ids, as one-row JSON. A message is unsent if it is to be sent or may have been: later ones wait.
-- $1 keys of messages, $2 phone numbers, $3 user ids, $4 numbers of the business
WITH batch_contacts AS MATERIALIZED (
    SELECT contact_id AS id
    FROM contact_phones
    WHERE wa_id IN (SELECT value FROM json_each($2))
    UNION
    SELECT contact_id
    FROM contact_user_ids
    WHERE user_id IN (SELECT value FROM json_each($3))
)
SELECT json_object(
    'messages', (
        SELECT json_group_array(message_key)
        FROM messages
        WHERE message_key IN (SELECT value FROM json_each($1))
    ),
    'contacts', (
        SELECT json_group_array(
            json_object(
                'id', c.id, 'wa_id', c.wa_id, 'name', c.name, 'username', c.username,
                'marketing_opted_out_ms', c.marketing_opted_out_ms,
                'opted_out_ms', c.opted_out_ms,
                'phones', (
                    SELECT json_group_array(wa_id) FROM contact_phones WHERE contact_id = c.id
                ),
                'user_ids', (
                    SELECT json_group_object(scope, user_id)
                    FROM contact_user_ids
                    WHERE contact_id = c.id
                )
            )
        )
        FROM batch_contacts
        CROSS JOIN contacts AS c ON c.id = batch_contacts.id
    ),
    'conversations', (
        SELECT json_group_array(
            json_object(
                'id', c.id, 'contact_id', c.contact_id, 'phone_number_id', c.phone_number_id,
                'state', c.state, 'inbound_count', c.inbound_count,
                'last_inbound_ms', c.last_inbound_ms,
                'unsent', (
                    SELECT count(*)
                    FROM outbox AS o
                    WHERE o.conversation_id = c.id
                        AND o.kind = 'message'
                        AND o.state IN ('queued', 'sending', 'unknown')
                )
            )
        )
        FROM batch_contacts
        CROSS JOIN conversations AS c ON c.contact_id = batch_contacts.id
        WHERE c.phone_number_id IN (SELECT value FROM json_each($4))
    ),
    'accounts', (
        SELECT json_group_object(phone_number_id, waba_id)
        FROM business_numbers
        WHERE phone_number_id IN (SELECT value FROM json_each($4))
    ),
    'last_message', (SELECT coalesce(max(id), 0) FROM messages),
    'last_contact', (SELECT coalesce(max(id), 0) FROM contacts),
    'last_conversation', (SELECT coalesce(max(id), 0) FROM conversations),
    'last_outbox_row', (
        SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'
    )
);
