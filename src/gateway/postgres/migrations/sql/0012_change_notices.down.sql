DROP FUNCTION app.day_at(text, timestamptz);

DROP FUNCTION app.begin_incarnation(), app.incarnation();

DROP TABLE app.incarnations;

DROP FUNCTION app.notify_changes_of(regclass);

-- With all of its triggers.
DROP FUNCTION app.notify_change() CASCADE;
