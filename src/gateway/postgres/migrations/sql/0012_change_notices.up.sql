-- What a response cache stands on: every change of what an answer can read is told of, and a snapshot says which life of which
-- database it is of.

-- First of all, so that what waits too long gives up before anything is done.
LOCK TABLE tenants, members, contacts, pipelines, stages, tasks, products, deal_products, operations, audit_log
  IN SHARE ROW EXCLUSIVE MODE;

-- Tells of a statement's change as the triggers of rollups do: `tenant:table:xid`, once for each tenant whose rows it was or is;
-- `*` stands for every tenant. The tenant is the first column of every table, of `tenants` its id: hence the names of columns.
CREATE FUNCTION app.notify_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  touched text[] := CASE TG_OP WHEN 'TRUNCATE' THEN '{*}' END;
BEGIN
  IF TG_OP = 'INSERT' THEN
    touched := ARRAY(SELECT DISTINCT tenant_id FROM new_rows AS n (tenant_id));
  ELSIF TG_OP = 'UPDATE' THEN
    touched := ARRAY(SELECT tenant_id FROM new_rows AS n (tenant_id) UNION SELECT tenant_id FROM old_rows AS o (tenant_id));
  ELSIF TG_OP = 'DELETE' THEN
    touched := ARRAY(SELECT DISTINCT tenant_id FROM old_rows AS o (tenant_id));
  END IF;
  PERFORM pg_notify('gateway_changes', concat_ws(':', tenant, TG_TABLE_NAME, pg_current_xact_id())) FROM unnest(touched) AS tenant;
  RETURN NULL;
END $$;

COMMENT ON FUNCTION app.notify_change() IS 'Notifies tenant:table:xid on channel gateway_changes.';

CREATE FUNCTION app.notify_changes_of(relation regclass) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  event text;
  rows text;
BEGIN
  FOR event, rows IN VALUES
    ('insert', 'REFERENCING NEW TABLE AS new_rows'), ('update', 'REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows'),
    ('delete', 'REFERENCING OLD TABLE AS old_rows'), ('truncate', '')
  LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER notify_%1$s AFTER %1$s ON %2$s %3$s FOR EACH STATEMENT EXECUTE FUNCTION app.notify_change()',
                   event, relation, rows);
    EXECUTE format('ALTER TABLE %2$s ENABLE ALWAYS TRIGGER notify_%1$s', event, relation);
  END LOOP;
END $$;

COMMENT ON FUNCTION app.notify_changes_of(regclass) IS 'Makes the triggers that tell of every change of a table, or makes them whole.';

-- Where a table has rollups, their triggers tell of its changes.
SELECT app.notify_changes_of(relation)
  FROM unnest('{tenants,members,contacts,pipelines,stages,tasks,products,deal_products,operations,audit_log}'::regclass[]) AS relation
 WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relation AND tgname = 'rollup_update');

-- Transaction ids come again after a crash that lost commits, a failover, a restore. Unlogged: a crash empties it, a base backup
-- leaves it out. A copied database and a restored dump bring the row along, but not the file that it was written to.
CREATE UNLOGGED TABLE app.incarnations (
  is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
  place       text NOT NULL,
  file        text NOT NULL,
  id          uuid NOT NULL DEFAULT gen_random_uuid()
);

COMMENT ON TABLE app.incarnations IS 'At most one row: the present life of this database, during which no transaction id comes twice.';

COMMENT ON COLUMN app.incarnations.place IS 'The server''s system identifier and the database''s oid.';

COMMENT ON COLUMN app.incarnations.file IS 'Where this table was stored when the row was written.';

-- Read in every transaction. A standby has none, and its unlogged tables cannot be read: not even planned, hence no plain SQL.
CREATE FUNCTION app.incarnation() RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RETURN NULL;
  END IF;
  RETURN (SELECT i.place || '/' || i.id FROM app.incarnations AS i WHERE i.file = pg_relation_filepath(i.tableoid));
END $$;

COMMENT ON FUNCTION app.incarnation() IS 'The present life of this database: server/database/uuid. Null when none has begun, and on a standby.';

-- Who comes second waits for the first, and is given the same.
CREATE FUNCTION app.begin_incarnation() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_is_in_recovery() THEN
    INSERT INTO app.incarnations AS i (place, file)
    SELECT c.system_identifier || '/' || d.oid, pg_relation_filepath('app.incarnations')
      FROM pg_control_system() AS c CROSS JOIN pg_database AS d WHERE d.datname = current_database()
        ON CONFLICT (is_only_row) DO UPDATE SET (place, file, id) = ROW (excluded.place, excluded.file, excluded.id)
     WHERE (i.place, i.file) <> (excluded.place, excluded.file);
  END IF;
  RETURN app.incarnation();
END $$;

COMMENT ON FUNCTION app.begin_incarnation() IS 'The present life of this database, begun where there is none. Null on a standby.';

GRANT EXECUTE ON FUNCTION app.incarnation(), app.begin_incarnation() TO gateway;

-- The day ends at midnight by the offset of now, or by the one that holds then: at the first of the two where the clock is put
-- forward before it, or back over it, so that it strikes twice; at the second where by the offset of now it is still the same day.
CREATE FUNCTION app.day_at(zone text, at timestamptz) RETURNS TABLE (day date, ends_at timestamptz)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  BEGIN ATOMIC
    SELECT here.day, CASE WHEN timezone(zone, midnight.as_now)::date = here.day THEN midnight.as_then
                          ELSE least(midnight.as_now, midnight.as_then) END
      FROM (SELECT timezone(zone, at) AS wall, timezone(zone, at)::date AS day) AS here
     CROSS JOIN LATERAL (SELECT timezone('UTC', here.day + 1 - (here.wall - timezone('UTC', at))) AS as_now,
                                timezone(zone, (here.day + 1)::timestamp) AS as_then) AS midnight;
  END;

COMMENT ON FUNCTION app.day_at(text, timestamptz) IS 'The day that an instant belongs to in a time zone, and the first instant after it.';

GRANT EXECUTE ON FUNCTION app.day_at(text, timestamptz) TO gateway;
