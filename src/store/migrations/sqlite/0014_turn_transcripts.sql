-- Where the client writes what happens in the turn that is under way: an interruption stands nowhere else.
ALTER TABLE sessions ADD COLUMN transcript TEXT;
