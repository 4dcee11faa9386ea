-- Inserts a version of the rules, unless it was used before.
-- $1 version, $2 source, $3 now
INSERT INTO rules_versions (version, source, first_used_ms)
VALUES ($1, $2, $3)
ON CONFLICT (version) DO NOTHING;
