-- Every approval of one action by one hand: what stands, what was denied, and which use of a tool used one up.
DROP INDEX approvals_standing;
CREATE INDEX approvals_by_action ON approvals (hand_id, digest, requested_at);
-- One use of a tool uses one approval.
CREATE UNIQUE INDEX approvals_by_use ON approvals (hand_id, consumed_for) WHERE consumed_for IS NOT NULL;
