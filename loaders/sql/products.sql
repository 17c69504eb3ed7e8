-- name: products_by_id (planned once)
-- reads: products
-- Products of the given ids that are not deleted, in any order.
SELECT id, name, series, unit_price
  FROM products WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;
