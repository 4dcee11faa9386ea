-- Takes opt-outs and opt-ins at one number over to all numbers of the business. An opt-out ends what
-- is pending there.
-- $1 contacts with the time of the opt-out, or NULL after an opt-in
UPDATE contacts
SET opted_out_ms = spread.value->>'opted_out_ms'
FROM json_each($1) AS spread
WHERE contacts.id = spread.value->>'contact_id';

UPDATE conversations
SET
    opted_out_ms = spread.value->>'opted_out_ms',
    state = CASE
        WHEN spread.value->>'opted_out_ms' IS NULL THEN json_remove(state, '$.opted_out_at')
        ELSE json_set(
            json_remove(state, '$.run', '$.scheduled', '$.pending_actions'), '$.opted_out_at',
            strftime(
                '%Y-%m-%dT%H:%M:%fZ', (spread.value->>'opted_out_ms') / 1000.0, 'unixepoch'
            )
        )
    END
FROM json_each($1) AS spread
WHERE conversations.contact_id = spread.value->>'contact_id';
