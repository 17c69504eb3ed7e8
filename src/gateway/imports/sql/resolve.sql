-- Each row as the record it is to become, with the id of the one that is there, or a new one.
CREATE TEMP TABLE resolved ON COMMIT DROP AS
SELECT q.*, {faulty} AS is_faulty
  FROM (SELECT s.line, s.first_line, t.id IS NULL AS is_new, coalesce(t.id, nextval('{table}_id_seq')) AS id,
               {selected}
          FROM (SELECT *, min(line) OVER (PARTITION BY {key}) AS first_line FROM staging) AS s
         CROSS JOIN (SELECT time_zone FROM tenants WHERE id = $1) AS tenant
          LEFT JOIN {table} AS t ON t.tenant_id = $1 AND t.{key} = s.{key}
          {joins}
         WHERE {kept}
         ORDER BY s.line) AS q
