-- Deals that only ever went forward are told apart, so that they can be counted by their moves and need not be looked at one by one.

-- First of all, so that what waits too long gives up before anything is done; in the order in which a writer takes them.
LOCK TABLE deals, deal_stage_history IN ACCESS EXCLUSIVE MODE;

-- A deal's way is straight when its first row comes from nowhere, and every other one from the stage and the day that the row
-- before it went to, forward: to a later stage of the same pipeline, and not out of a lost one. All rows of a deal say the same:
-- said of single rows, a row outside of a period could change what those within it count. They say so only where it is known.
-- Forward is by stages as they were when the row was written; who reads compares with stages as they are, and sees what changed.
-- First written true, as nearly all are.
ALTER TABLE deal_stage_history ADD COLUMN straight boolean NOT NULL DEFAULT true;

COMMENT ON COLUMN deal_stage_history.straight IS
  'Whether all moves of the deal are known to follow one upon the other and to go forward; kept by triggers, the same in all rows of a deal.';

-- What is not known to be straight is right too: it is counted deal by deal, and costs more.
CREATE FUNCTION app.bend_ways(tenant_ids bigint[], deal_ids bigint[]) RETURNS void LANGUAGE plpgsql
  SET search_path = public, pg_temp SET enable_nestloop = on AS $$
BEGIN
  -- An old snapshot may hide that a row has become straight: to write them all is refused then.
  UPDATE deal_stage_history h SET straight = false
    FROM unnest(tenant_ids, deal_ids) AS bent (tenant_id, deal_id)
   WHERE h.tenant_id = bent.tenant_id AND h.deal_id = bent.deal_id
     AND (h.straight OR current_setting('transaction_isolation') <> 'read committed');
END $$;

COMMENT ON FUNCTION app.bend_ways(bigint[], bigint[]) IS 'Says of deals that their ways are not known to be straight.';

-- By whoever wrote much history rightly. Writers of deals and their history wait until the transaction ends.
-- Of a tenant whose rows are not in the statistics yet, one row would be expected, and looked up again for each deal.
CREATE FUNCTION app.find_straight_ways(of_tenant bigint) RETURNS void LANGUAGE plpgsql
  SET search_path = public, pg_temp SET enable_nestloop = off AS $$
DECLARE kept text := coalesce(current_setting('app.ways_kept', true), '');
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'an old snapshot may miss moves' USING ERRCODE = 'invalid_transaction_state', HINT = 'Use READ COMMITTED.';
  END IF;
  LOCK TABLE deals, deal_stage_history IN SHARE ROW EXCLUSIVE MODE;
  PERFORM set_config('app.ways_kept', 'on', true);
  WITH moves AS (
    SELECT h.deal_id, CASE WHEN row_number() OVER way = 1 THEN h.from_stage_id IS NULL
                           ELSE coalesce(h.from_stage_id = lag(h.to_stage_id) OVER way
                                         AND h.moved_day - h.days_in_stage = lag(h.moved_day) OVER way
                                         AND t.pipeline_id = f.pipeline_id AND t.position > f.position AND f.kind <> 'lost', false)
                      END AS goes_on
      FROM deal_stage_history h
      LEFT JOIN stages f ON f.tenant_id = h.tenant_id AND f.id = h.from_stage_id
      LEFT JOIN stages t ON t.tenant_id = h.tenant_id AND t.id = h.to_stage_id
     WHERE h.tenant_id = of_tenant WINDOW way AS (PARTITION BY h.deal_id ORDER BY h.moved_at, h.id)
  ), ways AS (
    SELECT deal_id, bool_and(goes_on) AS straight FROM moves GROUP BY deal_id
  )
  UPDATE deal_stage_history h SET straight = w.straight
    FROM ways w WHERE h.tenant_id = of_tenant AND h.deal_id = w.deal_id AND h.straight <> w.straight;
  PERFORM set_config('app.ways_kept', kept, true);
END $$;

COMMENT ON FUNCTION app.find_straight_ways(bigint) IS 'Says of all deals of a tenant whether their ways are straight.';

DROP INDEX deal_stage_history_by_day;

SELECT app.find_straight_ways(id) FROM tenants;

ALTER TABLE deal_stage_history ALTER COLUMN straight SET DEFAULT false;

CREATE INDEX deal_stage_history_by_day ON deal_stage_history (tenant_id, moved_day)
  INCLUDE (deal_id, from_stage_id, to_stage_id, days_in_stage, straight) WHERE NOT deal_deleted;

-- The few that are looked at deal by deal.
CREATE INDEX deal_stage_history_not_straight ON deal_stage_history (tenant_id, moved_day)
  INCLUDE (deal_id, to_stage_id) WHERE NOT deal_deleted AND NOT straight;

-- A new deal's first row is its way. Others cannot be there, but where checks were off.
CREATE OR REPLACE FUNCTION app.record_created_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE tenant_ids bigint[]; deal_ids bigint[];
BEGIN
  WITH created AS (
    INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day, member_id, deal_deleted, straight)
    SELECT n.tenant_id, n.id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
           nullif(current_setting('app.member_id', true), '')::bigint, n.deleted_at IS NOT NULL, last.id IS NULL
      FROM new_deals n
      LEFT JOIN LATERAL (SELECT h.id FROM deal_stage_history h WHERE h.tenant_id = n.tenant_id AND h.deal_id = n.id
                          ORDER BY h.moved_at DESC, h.id DESC LIMIT 1) AS last ON true
     ORDER BY n.tenant_id, n.id
    RETURNING tenant_id, deal_id, straight
  )
  SELECT array_agg(tenant_id), array_agg(deal_id) INTO tenant_ids, deal_ids FROM created WHERE NOT straight;
  IF deal_ids IS NOT NULL THEN
    PERFORM app.bend_ways(tenant_ids, deal_ids);
  END IF;
  RETURN NULL;
END $$;

-- The last row of each deal is found by index whatever the plan: a nested loop that the setting cannot avoid, and which must not
-- look so dear that it is compiled.
CREATE OR REPLACE FUNCTION app.record_moved_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  SET enable_nestloop = off SET jit = off AS $$
DECLARE tenant_ids bigint[]; deal_ids bigint[];
BEGIN
  -- Who moves nothing waits for no stage.
  IF NOT coalesce((SELECT bool_or(n.stage_id <> o.stage_id)
                     FROM new_deals n JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id), false) THEN
    RETURN NULL;
  END IF;
  WITH moved AS (
    INSERT INTO deal_stage_history (tenant_id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, member_id,
                                    deal_deleted, straight)
    SELECT n.tenant_id, n.id, o.stage_id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
           greatest(n.stage_entered_day - o.stage_entered_day, 0),
           nullif(current_setting('app.member_id', true), '')::bigint, n.deleted_at IS NOT NULL,
           -- What others wrote by hand since an old snapshot would not be seen here.
           coalesce(current_setting('transaction_isolation') = 'read committed' AND last.straight
                    AND last.to_stage_id = o.stage_id AND last.moved_day = least(o.stage_entered_day, n.stage_entered_day)
                    AND o.pipeline_id = n.pipeline_id AND o.outcome <> 'lost'
                    AND (SELECT f.position FROM stages f WHERE f.tenant_id = o.tenant_id AND f.id = o.stage_id)
                      < (SELECT t.position FROM stages t WHERE t.tenant_id = n.tenant_id AND t.id = n.stage_id), false)
      FROM new_deals n JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id
      LEFT JOIN LATERAL (SELECT h.to_stage_id, h.moved_day, h.straight
                           FROM deal_stage_history h WHERE h.tenant_id = n.tenant_id AND h.deal_id = n.id
                          ORDER BY h.moved_at DESC, h.id DESC LIMIT 1) AS last ON true
     WHERE n.stage_id <> o.stage_id ORDER BY n.tenant_id, n.id
    RETURNING tenant_id, deal_id, straight
  )
  SELECT array_agg(tenant_id), array_agg(deal_id) INTO tenant_ids, deal_ids FROM moved WHERE NOT straight;
  IF deal_ids IS NOT NULL THEN
    PERFORM app.bend_ways(tenant_ids, deal_ids);
  END IF;
  RETURN NULL;
END $$;

-- Whoever writes history by hand bends the ways of its deals, whatever the rows say of themselves. Whoever moves one of these deals
-- at the same time either waits and sees it, or is waited for and is bent too: hence the lock. Transactions that keep ways
-- themselves say so by `app.ways_kept`, and end with `app.find_straight_ways`. What a trigger writes must be right already.
CREATE FUNCTION app.doubt_ways() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE tenant_ids bigint[]; deal_ids bigint[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(tenant_id), array_agg(deal_id) INTO tenant_ids, deal_ids
      FROM (SELECT DISTINCT tenant_id, deal_id FROM new_rows) AS written;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(tenant_id), array_agg(deal_id) INTO tenant_ids, deal_ids
      FROM (SELECT DISTINCT tenant_id, deal_id FROM old_rows) AS written;
  ELSE
    WITH old AS (
      SELECT tenant_id, id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, straight FROM old_rows
    ), new AS (
      SELECT tenant_id, id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, straight FROM new_rows
    )
    SELECT array_agg(tenant_id), array_agg(deal_id) INTO tenant_ids, deal_ids
      FROM (SELECT tenant_id, deal_id FROM (TABLE new EXCEPT TABLE old) AS became
            UNION SELECT tenant_id, deal_id FROM (TABLE old EXCEPT TABLE new) AS was) AS written;
  END IF;
  PERFORM FROM deals d JOIN unnest(tenant_ids, deal_ids) AS written (tenant_id, deal_id)
            ON d.tenant_id = written.tenant_id AND d.id = written.deal_id ORDER BY d.tenant_id, d.id FOR SHARE OF d;
  PERFORM app.bend_ways(tenant_ids, deal_ids);
  RETURN NULL;
END $$;

CREATE TRIGGER doubt_ways_insert AFTER INSERT ON deal_stage_history REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0 AND current_setting('app.ways_kept', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION app.doubt_ways();

CREATE TRIGGER doubt_ways_update AFTER UPDATE ON deal_stage_history REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0 AND current_setting('app.ways_kept', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION app.doubt_ways();

CREATE TRIGGER doubt_ways_delete AFTER DELETE ON deal_stage_history REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0 AND current_setting('app.ways_kept', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION app.doubt_ways();

-- Also where a session has its triggers replicated.
ALTER TABLE deal_stage_history ENABLE ALWAYS TRIGGER doubt_ways_insert, ENABLE ALWAYS TRIGGER doubt_ways_update,
  ENABLE ALWAYS TRIGGER doubt_ways_delete;
