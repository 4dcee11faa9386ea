-- no parameters
BEGIN IMMEDIATE;
