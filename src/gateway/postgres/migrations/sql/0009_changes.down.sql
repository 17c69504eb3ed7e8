REVOKE UPDATE (stage_id, stage_entered_at, owner_id, name, amount, expected_close, closed_at, deleted_at) ON deals FROM gateway;

REVOKE SELECT, INSERT (tenant_id, key, member_id, request_hash), UPDATE (answer), DELETE ON idempotency_keys FROM gateway;

REVOKE SELECT, INSERT (tenant_id, member_id, request_id, operation_id, action, record_type, record_id, before, after) ON audit_log
  FROM gateway;

DROP INDEX idempotency_keys_by_age;

COMMENT ON TABLE idempotency_keys IS NULL;

COMMENT ON TABLE audit_log IS NULL;

DROP INDEX audit_log_by_time;

ALTER TABLE audit_log DROP CONSTRAINT audit_log_tenant_id_operation_id_fkey;

DROP TABLE operations;
