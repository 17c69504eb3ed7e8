-- Only rows that differ are written, locked in the order of their ids as every bulk write does. Returns how many
-- records that were there before have changed.
WITH changed AS MATERIALIZED (
  SELECT r.*
    FROM resolved AS r JOIN {table} AS t ON t.tenant_id = $1 AND t.id = r.id
   WHERE NOT r.is_faulty AND NOT r.is_new AND ({old}) IS DISTINCT FROM ({new})
   ORDER BY t.id
     FOR NO KEY UPDATE OF t),
updated AS (
  UPDATE {table} AS t SET {assignments} FROM changed AS c WHERE t.tenant_id = $1 AND t.id = c.id
  RETURNING t.id){lines}
SELECT count(*) FROM ({touched}) AS touched
