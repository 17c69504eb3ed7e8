-- What the gateway may change, and the traces that each change leaves: who, when, what it was and what it became.

CREATE TABLE operations (
  tenant_id  bigint NOT NULL REFERENCES tenants,
  id         uuid NOT NULL,
  at         timestamptz NOT NULL DEFAULT now(),
  member_id  bigint NOT NULL,
  request_id text,
  action     text NOT NULL,
  note       text CHECK (length(note) BETWEEN 1 AND 2000),
  undoes     uuid,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, member_id) REFERENCES members,
  FOREIGN KEY (tenant_id, undoes) REFERENCES operations
);

COMMENT ON TABLE operations IS 'One row for each change of records by one request; its records stand in audit_log. Append-only for the serving role.';

COMMENT ON COLUMN operations.undoes IS 'The operation that this one undid; null for any other.';

CREATE INDEX operations_by_member ON operations (tenant_id, member_id);

CREATE INDEX operations_by_undone ON operations (tenant_id, undoes) WHERE undoes IS NOT NULL;

ALTER TABLE operations ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON operations USING (tenant_id = app.tenant_id());

ALTER TABLE audit_log ADD FOREIGN KEY (tenant_id, operation_id) REFERENCES operations;

CREATE INDEX audit_log_by_time ON audit_log (tenant_id, at DESC, id DESC);

COMMENT ON TABLE audit_log IS 'One row for each record that an operation changed, with its state before and after. Append-only for the serving role.';

COMMENT ON TABLE idempotency_keys IS 'Answers of operations by the key that their caller chose: who repeats a request gets the first answer.';

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (tenant_id, created_at);

-- Instants and ids of traces are the database's own, so that no statement of the serving role can forge them.
GRANT SELECT, INSERT (tenant_id, id, member_id, request_id, action, note, undoes) ON operations TO gateway;

GRANT SELECT, INSERT (tenant_id, member_id, request_id, operation_id, action, record_type, record_id, before, after) ON audit_log
  TO gateway;

GRANT SELECT, INSERT (tenant_id, key, member_id, request_hash), UPDATE (answer), DELETE ON idempotency_keys TO gateway;

GRANT UPDATE (stage_id, stage_entered_at, owner_id, name, amount, expected_close, closed_at, deleted_at) ON deals TO gateway;
