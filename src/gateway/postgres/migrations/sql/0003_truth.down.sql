DROP TRIGGER record_moved_deals ON deals;

DROP TRIGGER record_created_deals ON deals;

DROP TRIGGER copy_stage_kind ON stages;

DROP TRIGGER keep_deal ON deals;

DROP TRIGGER keep_new_deal ON deals;

DROP TRIGGER keep_task_update ON tasks;

DROP TRIGGER keep_task_insert ON tasks;

DROP TRIGGER keep_activity_update ON activities;

DROP TRIGGER keep_activity_insert ON activities;

DROP TRIGGER keep_company_update ON companies;

DROP TRIGGER keep_company_insert ON companies;

DROP FUNCTION app.record_moved_deals(), app.record_created_deals(), app.copy_stage_kind(), app.keep_deal(),
  app.keep_new_deal(), app.keep_task(), app.keep_activity(), app.keep_company();

REVOKE EXECUTE ON FUNCTION app.local_day(bigint, timestamptz) FROM gateway, worker, rollup_owner;
