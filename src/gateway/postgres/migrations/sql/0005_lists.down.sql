DROP FUNCTION app.search_members(text), app.search_tasks(text), app.search_activities(text), app.search_contacts(text),
  app.search_companies(text), app.search_deals(text);

DROP INDEX IF EXISTS tasks_by_text, activities_by_text, contacts_by_text, companies_by_text, deals_by_text;

-- An extension that somebody else installed stays.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm' AND extowner = current_user::regrole) THEN
    DROP EXTENSION pg_trgm;
  END IF;
END $$;

DROP INDEX members_by_name, tasks_by_owner, deals_by_owner_and_created_at, tasks_by_completed_at, tasks_by_created_at,
  tasks_by_due_at, activities_by_created_at,
  contacts_by_created_at, contacts_by_name, companies_by_employees, companies_by_created_at, companies_by_name,
  deals_by_closed_at, deals_by_expected_close, deals_by_amount, deals_by_name, deals_by_created_at;

ALTER TABLE deals DROP COLUMN amount_ten_thousandths;
