-- no parameters
COMMIT;
