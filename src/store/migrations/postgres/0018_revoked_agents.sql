-- An agent that the operator revoked: nobody can be it and nobody can write to it, until it is made again. Its history stays.
ALTER TABLE agents ADD COLUMN revoked_at BIGINT;
