-- Stored messages, contacts and conversations of a batch, the accounts of its numbers, and the last
-- ids. A message is unsent if it is to be sent or may have been: later ones wait. Lists are texts of
-- JSON values with commas between them, put together as texts: no value has to remember that it is
-- JSON.
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
SELECT
    (
        SELECT group_concat(json_quote(message_key))
        FROM messages
        WHERE message_key IN (SELECT value FROM json_each($1))
    ) AS messages,
    (
        SELECT group_concat(
            json_array(
                c.id, c.wa_id, c.name, c.username, c.marketing_opted_out_ms, c.opted_out_ms
            )
        )
        FROM batch_contacts
        CROSS JOIN contacts AS c ON c.id = batch_contacts.id
    ) AS contacts,
    (
        SELECT group_concat(json_array(phone.contact_id, phone.wa_id))
        FROM batch_contacts
        CROSS JOIN contact_phones AS phone ON phone.contact_id = batch_contacts.id
    ) AS phones,
    (
        SELECT group_concat(json_array(person.contact_id, person.scope, person.user_id))
        FROM batch_contacts
        CROSS JOIN contact_user_ids AS person ON person.contact_id = batch_contacts.id
    ) AS user_ids,
    (
        SELECT group_concat(
            json_array(
                c.id, c.contact_id, c.phone_number_id, c.state, c.inbound_count,
                c.last_inbound_ms,
                (
                    SELECT count(*)
                    FROM outbox
                    WHERE outbox.conversation_id = c.id
                        AND outbox.kind = 'message'
                        AND outbox.state IN ('queued', 'sending', 'unknown')
                )
            )
        )
        FROM batch_contacts
        CROSS JOIN conversations AS c ON c.contact_id = batch_contacts.id
        WHERE c.phone_number_id IN (SELECT value FROM json_each($4))
    ) AS conversations,
    (
        SELECT group_concat(json_array(phone_number_id, waba_id))
        FROM business_numbers
        WHERE phone_number_id IN (SELECT value FROM json_each($4))
    ) AS accounts,
    (SELECT coalesce(max(id), 0) FROM messages) AS last_message,
    (SELECT coalesce(max(id), 0) FROM contacts) AS last_contact,
    (SELECT coalesce(max(id), 0) FROM conversations) AS last_conversation,
    (
        SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'
    ) AS last_outbox_row;
