DROP FUNCTION app.intervals(text, date, date, date);

DROP FUNCTION app.period_presets(date);

DROP SCHEMA analytics CASCADE;

DROP INDEX deals_deleted;
