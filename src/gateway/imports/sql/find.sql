-- Each name that a reference uses, once, with the record it means. A name of several records is a fault.
CREATE TEMP TABLE found_{field} ON COMMIT DROP AS
SELECT v.value, min(t.id) AS id, count(t.id) AS matches
  FROM (SELECT DISTINCT s.{field} AS value FROM staging AS s WHERE s.{field} IS NOT NULL) AS v
  LEFT JOIN {target} AS t ON t.tenant_id = $1 AND t.{by} = v.value{living}
 GROUP BY v.value
