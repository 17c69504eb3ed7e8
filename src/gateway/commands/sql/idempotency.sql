-- name: claim_key
-- writes: idempotency_keys
-- Takes key $2 for member $3 and request $4. No row when the key is taken; while its taker still runs, this waits for them.
-- A few keys that are older than $5 go at the same time.
WITH old AS (
  DELETE FROM idempotency_keys k USING (
    SELECT key FROM idempotency_keys WHERE tenant_id = $1 AND created_at < now() - $5::interval AND key <> $2
     ORDER BY created_at LIMIT 100 FOR UPDATE SKIP LOCKED) AS expired
   WHERE k.tenant_id = $1 AND k.key = expired.key
)
INSERT INTO idempotency_keys (tenant_id, key, member_id, request_hash) VALUES ($1, $2::text, $3::bigint, $4::text)
ON CONFLICT DO NOTHING RETURNING true;

-- name: kept_answer
-- What key $2 was taken for and what was answered.
SELECT request_hash, answer FROM idempotency_keys WHERE tenant_id = $1 AND key = $2::text;

-- name: keep_answer
-- writes: idempotency_keys
-- The answer $3 of key $2.
UPDATE idempotency_keys SET answer = $3::jsonb WHERE tenant_id = $1 AND key = $2::text;
