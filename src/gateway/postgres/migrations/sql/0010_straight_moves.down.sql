DROP TRIGGER doubt_ways_insert ON deal_stage_history;

DROP TRIGGER doubt_ways_update ON deal_stage_history;

DROP TRIGGER doubt_ways_delete ON deal_stage_history;

CREATE OR REPLACE FUNCTION app.record_created_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, to_stage_id, moved_at, moved_day, member_id, deal_deleted)
  SELECT n.tenant_id, n.id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         nullif(current_setting('app.member_id', true), '')::bigint, n.deleted_at IS NOT NULL
    FROM new_deals n ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION app.record_moved_deals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  SET enable_nestloop = off AS $$
BEGIN
  INSERT INTO deal_stage_history (tenant_id, deal_id, from_stage_id, to_stage_id, moved_at, moved_day, days_in_stage, member_id,
                                  deal_deleted)
  SELECT n.tenant_id, n.id, o.stage_id, n.stage_id, n.stage_entered_at, n.stage_entered_day,
         greatest(n.stage_entered_day - o.stage_entered_day, 0),
         nullif(current_setting('app.member_id', true), '')::bigint, n.deleted_at IS NOT NULL
    FROM new_deals n JOIN old_deals o ON o.tenant_id = n.tenant_id AND o.id = n.id
   WHERE n.stage_id <> o.stage_id ORDER BY n.tenant_id, n.id;
  RETURN NULL;
END $$;

DROP FUNCTION app.doubt_ways(), app.find_straight_ways(bigint), app.bend_ways(bigint[], bigint[]);

-- Indexes that hold it go with it.
ALTER TABLE deal_stage_history DROP COLUMN straight;

CREATE INDEX deal_stage_history_by_day ON deal_stage_history (tenant_id, moved_day)
  INCLUDE (deal_id, from_stage_id, to_stage_id, days_in_stage) WHERE NOT deal_deleted;
