-- The register of calls and the effect log. LangGraph's own tables are made by LangGraph.
CREATE TABLE calls (
  call_id          uuid PRIMARY KEY,
  caller_hash      text,
  state            text NOT NULL CONSTRAINT call_state_known
                   CHECK (state IN ('live', 'interrupted', 'waiting_for_staff', 'closed')),
  language         text NOT NULL CONSTRAINT call_language_known CHECK (language IN ('en', 'es', 'fr')),
  open_flow        text,
  asks             text,
  verified         smallint NOT NULL DEFAULT 0,
  lease_owner      text,
  lease_counter    bigint NOT NULL DEFAULT 0,
  lease_expires_at timestamptz,
  started_at       timestamptz NOT NULL,
  last_turn_at     timestamptz NOT NULL,
  interrupted_at   timestamptz,
  ended_at         timestamptz,
  turns            integer NOT NULL DEFAULT 0,
  legs             integer NOT NULL DEFAULT 1,
  outcome          text CONSTRAINT call_outcome_known CHECK (outcome IN ('solved', 'escalated', 'abandoned')),
  topics           text[] NOT NULL DEFAULT '{}',
  satisfaction     smallint CONSTRAINT call_satisfaction_range CHECK (satisfaction BETWEEN 1 AND 5)
);
CREATE INDEX calls_by_caller ON calls (caller_hash, last_turn_at DESC) WHERE state IN ('live', 'interrupted');
CREATE INDEX calls_by_time ON calls (last_turn_at DESC);

CREATE TABLE effects (
  key            text PRIMARY KEY,
  call_id        uuid NOT NULL,
  turn           integer NOT NULL,
  effect         text NOT NULL,
  seq            integer NOT NULL,
  arguments_hash bytea NOT NULL,
  status         text NOT NULL CONSTRAINT effect_status_known CHECK (status IN ('begun', 'done')),
  result         bytea,
  begun_at       timestamptz NOT NULL DEFAULT now(),
  done_at        timestamptz
);
CREATE INDEX effects_by_call ON effects (call_id, begun_at);

CREATE TABLE key_check (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  sealed   bytea NOT NULL
);
