-- name: contacts_by_id (planned once)
-- reads: contacts
-- Contacts of the given ids that are not deleted, in any order.
SELECT id, company_id, owner_id, name, email, phone, title, created_at
  FROM contacts WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;
