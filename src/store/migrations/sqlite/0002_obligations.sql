-- What is owed: asks, reminders, and the guard against endless exchanges.

-- What a message is about (an ask, a reminder), so that its reader can act on it.
ALTER TABLE messages ADD COLUMN ref TEXT;

CREATE TABLE asks (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  asker_id TEXT NOT NULL REFERENCES agents (id),
  target_id TEXT NOT NULL REFERENCES agents (id),
  message_id TEXT NOT NULL REFERENCES messages (id),
  thread_id TEXT NOT NULL,
  question TEXT NOT NULL,
  options TEXT NOT NULL,
  multi INTEGER NOT NULL CHECK (multi IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('open', 'answered', 'declined', 'cancelled', 'expired')),
  asked_at INTEGER NOT NULL,
  deadline_at INTEGER NOT NULL,
  answer TEXT,
  reason TEXT,
  closed_at INTEGER,
  closed_by TEXT,
  absence_told_at INTEGER,
  CHECK (asker_id <> target_id),
  CHECK ((state = 'open') = (closed_at IS NULL)),
  CHECK ((state = 'answered') = (answer IS NOT NULL))
) STRICT;
CREATE INDEX asks_due ON asks (deadline_at) WHERE state = 'open';
CREATE INDEX asks_open_by_asker ON asks (asker_id, asked_at) WHERE state = 'open';
CREATE INDEX asks_open_by_target ON asks (target_id, asked_at) WHERE state = 'open';
CREATE INDEX asks_open_untold ON asks (asked_at) WHERE state = 'open' AND absence_told_at IS NULL;
CREATE INDEX asks_by_asker ON asks (asker_id, asked_at);
CREATE INDEX asks_by_project ON asks (project_id, asked_at);
CREATE UNIQUE INDEX asks_by_message ON asks (message_id);

-- Answers that came after the end: kept beside the ask, never instead of its answer.
CREATE TABLE late_answers (
  ask_id TEXT NOT NULL REFERENCES asks (id),
  at INTEGER NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (ask_id, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE reminders (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  owner_id TEXT NOT NULL REFERENCES agents (id),
  target_id TEXT NOT NULL REFERENCES agents (id),
  session_id TEXT NOT NULL,
  message TEXT NOT NULL,
  only_if TEXT,
  cron TEXT,
  timezone TEXT,
  max_runs INTEGER CHECK (max_runs >= 1),
  runs INTEGER NOT NULL DEFAULT 0 CHECK (runs >= 0),
  state TEXT NOT NULL CHECK (state IN ('pending', 'parked', 'done', 'cancelled')),
  due_at INTEGER NOT NULL,
  attempt_at INTEGER NOT NULL,
  attempt_count INTEGER NOT NULL DEFAULT 0 CHECK (attempt_count >= 0),
  last_error TEXT,
  created_at INTEGER NOT NULL,
  closed_at INTEGER,
  CHECK ((cron IS NULL) = (timezone IS NULL)),
  CHECK (max_runs IS NULL OR cron IS NOT NULL),
  CHECK ((state IN ('done', 'cancelled')) = (closed_at IS NOT NULL)),
  CHECK (state <> 'parked' OR last_error IS NOT NULL)
) STRICT;
CREATE INDEX reminders_due ON reminders (attempt_at) WHERE state = 'pending';
CREATE INDEX reminders_open_by_owner ON reminders (owner_id, due_at) WHERE state IN ('pending', 'parked');
CREATE INDEX reminders_by_owner ON reminders (owner_id, created_at);
CREATE INDEX reminders_by_project ON reminders (project_id, created_at);

-- One row per instant that a reminder was due: who wins it, fires (I10).
CREATE TABLE reminder_firings (
  reminder_id TEXT NOT NULL REFERENCES reminders (id),
  due_at INTEGER NOT NULL,
  fired_at INTEGER NOT NULL,
  message_id TEXT REFERENCES messages (id),
  PRIMARY KEY (reminder_id, due_at)
) STRICT, WITHOUT ROWID;

-- Threads that went in circles, stopped until a person lets them go on (C17).
CREATE TABLE thread_pauses (
  thread_id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  reason TEXT NOT NULL,
  paused_at INTEGER NOT NULL,
  resumed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_pauses_open ON thread_pauses (project_id) WHERE resumed_at IS NULL;
