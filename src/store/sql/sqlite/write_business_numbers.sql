-- Writes accounts of business numbers.
INSERT INTO business_numbers (phone_number_id, waba_id)
SELECT *
FROM (VALUES (?, ?))
WHERE column1 IS NOT NULL
ON CONFLICT (phone_number_id) DO UPDATE SET waba_id = excluded.waba_id;
