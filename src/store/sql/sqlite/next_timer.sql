-- Time of the next timer.
-- no parameters
SELECT min(next_timer_ms)
FROM conversations
WHERE next_timer_ms IS NOT NULL;
