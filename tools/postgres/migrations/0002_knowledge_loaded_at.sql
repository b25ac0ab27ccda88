-- When the answers were loaded: a process that has learned older ones sees that it must learn again.
ALTER TABLE company.knowledge ADD COLUMN loaded_at timestamptz NOT NULL DEFAULT now();
