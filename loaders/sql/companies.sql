-- name: companies_by_id (planned once)
-- reads: companies
-- Companies of the given ids that are not deleted, in any order.
SELECT id, owner_id, name, industry, region, website, employees, created_at, created_day, updated_at
  FROM companies WHERE tenant_id = $1 AND id = ANY($2::bigint[]) AND deleted_at IS NULL;

-- name: company_summary (planned once)
-- reads: companies, deals
-- One row: companies of an owner ($2, null: everyone), those with deals (0 unless $5), those created in [$3, $4).
-- Companies may be many, and those whose deals changed since the last refresh, or that are deleted, are few: only these are summed,
-- and joined with what the refresh computed, one row a company.
SELECT coalesce(sum(created), 0)::bigint AS total,
       CASE WHEN NOT $5::boolean THEN 0
            WHEN $2 IS NOT NULL
            THEN (SELECT count(*) FROM analytics.companies_with_deals WHERE tenant_id = $1 AND owner_id = $2)
            ELSE (SELECT count(*)
                    FROM (SELECT company_id, deals FROM analytics.company_deals WHERE tenant_id = $1 AND NOT changed) AS refreshed
                    FULL JOIN (SELECT company_id, sum(deals)::bigint AS deals, bool_or(deleted) AS deleted
                                 FROM (SELECT company_id, deals, false AS deleted FROM analytics.company_deals
                                        WHERE tenant_id = $1 AND changed
                                       UNION ALL
                                       SELECT id, 0, true FROM companies WHERE tenant_id = $1 AND deleted_at IS NOT NULL) AS each
                                GROUP BY company_id) AS since USING (company_id)
                   WHERE company_id <> 0 AND deleted IS NOT TRUE
                     AND coalesce(refreshed.deals, 0) + coalesce(since.deals, 0) > 0)
       END AS with_deals,
       coalesce(sum(created) FILTER (WHERE day >= $3::date AND day < $4::date), 0)::bigint AS new
  FROM (SELECT day, created FROM analytics.company_flow WHERE tenant_id = $1 AND $2::bigint IS NULL
        UNION ALL
        SELECT day, created FROM analytics.owner_company_flow WHERE tenant_id = $1 AND owner_id = $2) AS flow;

-- name: company_engagement
-- reads: activities, deals, stages
-- One row of what engagement is scored from, for company $2 on local day $3: the last contact (a call, email or meeting;
-- one planned for a later day is none yet), contacts made and people reached lately, the tenant's median of contacts made (over companies that had any), its deals.
WITH recent AS (
  SELECT company_id, count(*) AS contacts
    FROM activities
   WHERE tenant_id = $1 AND deleted_at IS NULL AND kind <> 'note' AND company_id IS NOT NULL
     AND occurred_day > $3::date - 30 AND occurred_day <= $3::date
   GROUP BY company_id
)
SELECT last.last_contact_at, last.last_contact_day,
       coalesce((SELECT contacts FROM recent WHERE company_id = $2), 0) AS contacts_30_days,
       (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY contacts) FROM recent) AS typical_contacts_30_days,
       reach.people_90_days, deals.open_deals, deals.won, deals.lost
  FROM (SELECT 1) AS one
  LEFT JOIN LATERAL (
    SELECT occurred_at AS last_contact_at, occurred_day AS last_contact_day FROM activities
     WHERE tenant_id = $1 AND company_id = $2 AND deleted_at IS NULL AND kind <> 'note' AND occurred_day <= $3::date
     ORDER BY occurred_at DESC, id DESC LIMIT 1) AS last ON true,
       (SELECT count(DISTINCT contact_id) AS people_90_days FROM activities
         WHERE tenant_id = $1 AND company_id = $2 AND deleted_at IS NULL AND kind <> 'note'
           AND occurred_day > $3::date - 90 AND occurred_day <= $3::date) AS reach,
       (SELECT coalesce(sum(d.deals) FILTER (WHERE s.kind = 'open'), 0)::bigint AS open_deals,
               coalesce(sum(d.deals) FILTER (WHERE s.kind = 'won'), 0)::bigint AS won,
               coalesce(sum(d.deals) FILTER (WHERE s.kind = 'lost'), 0)::bigint AS lost
          FROM analytics.company_deal_state d JOIN stages s ON s.tenant_id = $1 AND s.id = d.stage_id
         WHERE d.tenant_id = $1 AND d.company_id = $2) AS deals;
