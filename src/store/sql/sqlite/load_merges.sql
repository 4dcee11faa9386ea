-- Pairs of conversations with one number of the business that a merge of contacts joins, as one-row
-- JSON.
-- $1 pairs of contacts
SELECT json_group_array(
    json_object(
        'from', f.id, 'to', t.id, 'from_state', f.state, 'to_state', t.state
    )
)
FROM json_each($1) AS pair
JOIN conversations AS f ON f.contact_id = pair.value->>'from'
JOIN conversations AS t ON t.contact_id = pair.value->>'to'
    AND t.phone_number_id = f.phone_number_id;
