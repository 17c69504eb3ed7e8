DROP TABLE audit_log, idempotency_keys, deal_products, products, tasks, activities, deal_stage_history, deals, stages,
  pipelines, contacts, companies;

DROP FUNCTION app.local_day(bigint, timestamptz);
