-- Who a call was about, as keyed hashes: so that a customer can be erased. And a log of writes that only grows.
ALTER TABLE calls ADD COLUMN customers text[] NOT NULL DEFAULT '{}';
CREATE INDEX calls_by_customer ON calls USING gin (customers);

CREATE TABLE audit (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  action     text NOT NULL,
  call_id    uuid,
  effect_key text,
  subject    text,
  counts     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_call ON audit (call_id);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
