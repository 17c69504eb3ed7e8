-- Records that are named in the file and are not there.
INSERT INTO {target} (tenant_id, {columns})
SELECT DISTINCT ON (s.{field}) $1, {values}
  FROM staging AS s
 WHERE s.{field} IS NOT NULL
   AND NOT EXISTS (SELECT FROM {target} AS t WHERE t.tenant_id = $1 AND t.{by} = s.{field})
 ORDER BY s.{field}, s.line
    ON CONFLICT DO NOTHING
