-- $1 path
VACUUM INTO $1;
