DROP FUNCTION app.credential_lookup(text, text);

DROP FUNCTION app.login_lookup(text, text);

DROP FUNCTION app.identify(text, text);

DROP TABLE members;

DROP TABLE tenants;

DROP SCHEMA app CASCADE;

ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
