-- Which of these receipts are stored already.
-- $1 keys of receipts
SELECT receipt_key
FROM receipts
WHERE receipt_key IN (SELECT value FROM json_each($1));
