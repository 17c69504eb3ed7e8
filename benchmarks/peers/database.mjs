// A tenant's reads: the gateway's own statements, as role `gateway`, in one snapshot under row-level security.
import { readdirSync, readFileSync } from "node:fs";
import pg from "pg";

const FOLDER = new URL("../../loaders/sql/", import.meta.url);
const STATEMENTS = Object.assign({}, ...readdirSync(FOLDER).map((file) => parse(readFileSync(new URL(file, FOLDER), "utf8"))));

const { DATE, INT8, TIMESTAMPTZ } = pg.types.builtins;
const DATES = 1182;
pg.types.setTypeParser(INT8, Number);
pg.types.setTypeParser(DATE, String);
pg.types.setTypeParser(DATES, pg.types.getTypeParser(1009)); // as an array of texts
pg.types.setTypeParser(TIMESTAMPTZ, isoInstant);

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL_SIZE),
  options: "-c jit=off -c TimeZone=UTC",
});

/** The tenant and member that a token names, with `active`; undefined for an unknown tenant. */
export async function identify(tenant, subject) {
  return (await run(pool, "identify", [tenant, subject])).rows[0];
}

/** What `read` makes of one snapshot of a tenant. It is given `fetch(name, ...values)`: the rows of a statement. */
export async function inSnapshot(tenantId, read) {
  const client = await pool.connect();
  try {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL app.tenant_id = '${Number(tenantId)}'`);
    const found = await read(async (name, ...values) => (await run(client, name, [tenantId, ...values])).rows);
    await client.query("COMMIT");
    client.release();
    return found;
  } catch (error) {
    client.release(error); // closes the connection
    throw error;
  }
}

function run(client, name, values) {
  const { text, plannedOnce } = STATEMENTS[name];
  return client.query({ name: plannedOnce ? name : undefined, text, values });
}

function parse(source) {
  const blocks = source.split("-- name: ").slice(1);
  return Object.fromEntries(
    blocks.map((block) => {
      const [, name, planned, text] = /^(\w+)( \(planned once\))?\n([^]*?);?\s*$/.exec(block);
      return [name, { text, plannedOnce: planned !== undefined }];
    }),
  );
}

/** PostgreSQL's `2026-03-01 09:30:00.25+00` as the gateway spells it: `2026-03-01T09:30:00.250000+00:00`. */
function isoInstant(text) {
  const [, day, time, fraction] = /^(\S+) ([\d:]+)(?:\.(\d+))?\+00$/.exec(text);
  return `${day}T${time}${fraction ? `.${fraction.padEnd(6, "0")}` : ""}+00:00`;
}
