-- no parameters
ROLLBACK;
