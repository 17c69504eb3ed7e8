,
wanted AS (
  SELECT r.id AS deal_id, r.product_id, {amount} AS amount, r.is_new FROM resolved AS r WHERE NOT r.is_faulty),
gone AS (
  DELETE FROM deal_products AS l USING wanted AS w
   WHERE NOT w.is_new AND l.tenant_id = $1 AND l.deal_id = w.deal_id AND l.product_id IS DISTINCT FROM w.product_id
  RETURNING l.deal_id),
put AS (
  INSERT INTO deal_products (tenant_id, deal_id, product_id, amount)
  SELECT $1, w.deal_id, w.product_id, w.amount
    FROM wanted AS w
    LEFT JOIN deal_products AS l ON l.tenant_id = $1 AND l.deal_id = w.deal_id AND l.product_id = w.product_id
   WHERE w.product_id IS NOT NULL AND (l.deal_id IS NULL OR l.amount IS DISTINCT FROM w.amount)
   ORDER BY w.deal_id
      ON CONFLICT (tenant_id, deal_id, product_id) DO UPDATE SET amount = excluded.amount
  RETURNING deal_id)
