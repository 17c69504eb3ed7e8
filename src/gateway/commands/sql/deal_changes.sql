-- name: lock_deals
-- The deals of ids $2, deleted ones too, locked in the order of their ids until the transaction ends. Days are texts: to the
-- driver, the last day of the calendar and infinity are the same.
SELECT id, pipeline_id, stage_id, owner_id, name, amount, to_jsonb(expected_close) #>> '{}' AS expected_close, closed_at, deleted_at, version
  FROM deals WHERE tenant_id = $1 AND id = ANY($2::bigint[]) ORDER BY id FOR NO KEY UPDATE;

-- name: writer_role
-- One row: the role of member $2 as it stands now; none when they are deactivated or gone.
SELECT role FROM members WHERE tenant_id = $1 AND id = $2::bigint AND active;

-- name: stage_pipelines
-- The stages of ids $2, each with its pipeline.
SELECT id, pipeline_id FROM stages WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: owners
-- The members of ids $2, each with whether they are active.
SELECT id, active FROM members WHERE tenant_id = $1 AND id = ANY($2::bigint[]);

-- name: instant
-- One row: the instant at which the transaction began.
SELECT now() WHERE $1::bigint IS NOT NULL;

-- name: change_deals
-- writes: audit_log, deal_stage_history, deals, operations
-- Writes the states of deals $2, each at version $3, as operation $11 of member $12, and what they were and became.
-- A row that has another version, that the member may not write (roles $16 write all, $17 their own), or that would go to an
-- owner who is not active is left as it is. $18: the operation that this one undoes, or null.
-- Returns ids and new versions of what was written.
WITH wanted AS (
  SELECT * FROM unnest($2::bigint[], $3::int[], $4::bigint[], $5::bigint[], $6::text[], $7::numeric[], $8::text[],
                       $9::timestamptz[], $10::timestamptz[])
    AS w (id, version, stage_id, owner_id, name, amount, expected_close, closed_at, deleted_at)
), operation AS (
  INSERT INTO operations (tenant_id, id, member_id, request_id, action, note, undoes)
  VALUES ($1, $11::uuid, $12::bigint, $13::text, $14::text, $15::text, $18::uuid)
), changed AS (
  UPDATE deals d SET stage_id = w.stage_id, owner_id = w.owner_id, name = w.name, amount = w.amount,
                     expected_close = w.expected_close::date, closed_at = w.closed_at, deleted_at = w.deleted_at,
                     -- With a closing instant of long ago, a deal that goes back would seem to have gone back then.
                     stage_entered_at = CASE WHEN $18 IS NOT NULL AND w.stage_id <> d.stage_id
                                             THEN greatest(now(), d.stage_entered_at) ELSE d.stage_entered_at END
    FROM wanted w, deals o, members m
   WHERE d.tenant_id = $1 AND d.id = w.id AND d.version = w.version AND o.tenant_id = $1 AND o.id = w.id
     AND m.tenant_id = $1 AND m.id = $12 AND m.active
     AND (m.role = ANY($16::text[]) OR (m.role = ANY($17::text[]) AND d.owner_id = m.id))
     AND (w.owner_id = d.owner_id OR $18 IS NOT NULL
          OR EXISTS (SELECT FROM members n WHERE n.tenant_id = $1 AND n.id = w.owner_id AND n.active))
  RETURNING d.id, d.version,
            jsonb_build_object('stage_id', o.stage_id, 'owner_id', o.owner_id, 'name', o.name, 'amount', o.amount,
                               'expected_close', o.expected_close, 'closed_at', o.closed_at, 'deleted_at', o.deleted_at,
                               'version', o.version) AS before,
            jsonb_build_object('stage_id', d.stage_id, 'owner_id', d.owner_id, 'name', d.name, 'amount', d.amount,
                               'expected_close', d.expected_close, 'closed_at', d.closed_at, 'deleted_at', d.deleted_at,
                               'version', d.version) AS after
), logged AS (
  INSERT INTO audit_log (tenant_id, member_id, request_id, operation_id, action, record_type, record_id, before, after)
  SELECT $1, $12, $13, $11, $14, 'Deal', c.id, c.before, c.after FROM changed c ORDER BY c.id
)
SELECT id, version FROM changed;

-- name: changes_of_operation
-- What operation $2 did to each deal: its state before and after, by id.
SELECT record_id, before, after
  FROM audit_log WHERE tenant_id = $1 AND operation_id = $2::uuid AND record_type = 'Deal' ORDER BY record_id;
