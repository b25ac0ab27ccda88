-- The built-in company systems: customers, orders, callbacks, knowledge, notices, staff, identity.
CREATE SCHEMA company;

CREATE TABLE company.customers (
  customer_id text PRIMARY KEY,
  full_name   text NOT NULL,
  email       text NOT NULL,
  phone       text NOT NULL,
  language    text NOT NULL CHECK (language IN ('en', 'es', 'fr')),
  line1       text NOT NULL,
  line2       text NOT NULL DEFAULT '',
  city        text NOT NULL,
  region      text NOT NULL DEFAULT '',
  postal_code text NOT NULL,
  country     text NOT NULL,
  demo        boolean NOT NULL DEFAULT false
);
CREATE INDEX customers_by_phone ON company.customers (phone);
CREATE INDEX customers_by_email ON company.customers (lower(email));

CREATE TABLE company.orders (
  order_id           text PRIMARY KEY,
  plain_id           text NOT NULL,
  digits             text NOT NULL,
  customer_id        text NOT NULL REFERENCES company.customers ON DELETE CASCADE,
  status             text NOT NULL,
  placed_at          timestamptz NOT NULL,
  total_cents        bigint NOT NULL,
  currency           text NOT NULL,
  items              jsonb NOT NULL,
  carrier            text,
  tracking_number    text,
  shipped_at         timestamptz,
  delivered_at       timestamptz,
  estimated_delivery date,
  demo               boolean NOT NULL DEFAULT false
);
CREATE INDEX orders_by_customer ON company.orders (customer_id, placed_at DESC);
CREATE INDEX orders_by_plain_id ON company.orders (plain_id);
CREATE INDEX orders_by_digits ON company.orders (digits);

-- Opening hours by weekday (0 is Monday); a day without a row is closed. Country '*' is every other country.
CREATE TABLE company.opening_hours (
  country  text NOT NULL,
  weekday  smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),
  opens    time NOT NULL,
  closes   time NOT NULL,
  capacity smallint NOT NULL DEFAULT 3,
  PRIMARY KEY (country, weekday)
);
INSERT INTO company.opening_hours (country, weekday, opens, closes)
SELECT '*', day, time '09:00', time '18:00' FROM generate_series(0, 4) AS day
UNION ALL SELECT '*', 5, time '10:00', time '14:00';

-- Days that differ from the week: closed, or open although a public holiday.
CREATE TABLE company.special_days (
  country text NOT NULL,
  day     date NOT NULL,
  closed  boolean NOT NULL,
  PRIMARY KEY (country, day)
);

CREATE TABLE company.callbacks (
  callback_id uuid PRIMARY KEY,
  call_id     uuid NOT NULL,
  topic       text NOT NULL,
  phone       text NOT NULL,
  starts_at   timestamptz NOT NULL,
  country     text NOT NULL,
  language    text NOT NULL,
  status      text NOT NULL CHECK (status IN ('booked', 'cancelled'))
);
CREATE INDEX callbacks_by_time ON company.callbacks (starts_at) WHERE status = 'booked';
CREATE INDEX callbacks_by_phone ON company.callbacks (phone, starts_at) WHERE status = 'booked';

CREATE TABLE company.staff (
  name      text PRIMARY KEY,
  languages text[] NOT NULL,
  available boolean NOT NULL DEFAULT false
);

CREATE TABLE company.handovers (
  handover_id uuid PRIMARY KEY,
  call_id     uuid NOT NULL,
  way         text NOT NULL CHECK (way IN ('transfer', 'queue')),
  record      jsonb NOT NULL,
  created_at  timestamptz NOT NULL,
  number      bigint GENERATED ALWAYS AS IDENTITY
);

CREATE TABLE company.knowledge (
  topic     text NOT NULL,
  language  text NOT NULL CHECK (language IN ('en', 'es', 'fr')),
  title     text NOT NULL,
  body      text NOT NULL,
  questions text[] NOT NULL,
  search    tsvector NOT NULL,
  PRIMARY KEY (language, topic)
);
CREATE INDEX knowledge_search ON company.knowledge USING gin (search);

-- Messages to customers. Contact and text are sealed, and wiped once the message was sent.
CREATE TABLE company.notices (
  notice_id  uuid PRIMARY KEY,
  number     bigint GENERATED ALWAYS AS IDENTITY,
  call_id    uuid NOT NULL,
  kind       text NOT NULL,
  channel    text NOT NULL,
  masked_to  text NOT NULL,
  sealed     bytea,
  created_at timestamptz NOT NULL,
  sent_at    timestamptz
);
CREATE INDEX notices_unsent ON company.notices (call_id, number) WHERE sent_at IS NULL;

CREATE TABLE company.identity_failures (
  call_id    uuid NOT NULL,
  turn       integer NOT NULL,
  account    text NOT NULL DEFAULT '',
  caller_key text,
  failed_at  timestamptz NOT NULL,
  PRIMARY KEY (call_id, turn, account)
);
CREATE INDEX failures_by_account ON company.identity_failures (account, failed_at);
CREATE INDEX failures_by_caller ON company.identity_failures (caller_key, failed_at);

CREATE TABLE company.one_time_codes (
  code_id     uuid PRIMARY KEY,
  call_id     uuid NOT NULL,
  customer_id text NOT NULL,
  code_hash   text NOT NULL,
  issued_at   timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  tries       smallint NOT NULL DEFAULT 0,
  ended       boolean NOT NULL DEFAULT false
);
CREATE INDEX codes_by_call ON company.one_time_codes (call_id, issued_at DESC);
CREATE TABLE company.code_checks (
  call_id uuid NOT NULL,
  turn    integer NOT NULL,
  verdict text NOT NULL,
  PRIMARY KEY (call_id, turn)
);
