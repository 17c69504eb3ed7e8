// Runs every GraphQL-over-HTTP audit against a server and prints, as JSON, each one's name and its failure, if any.
// node audit.mjs URL TOKEN
import { auditServer } from "graphql-http";

const [url, token] = process.argv.slice(2);
const fetchFn = (address, init = {}) =>
  fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } });

const results = await auditServer({ url, fetchFn });
console.log(JSON.stringify(results.map(({ name, status, reason }) => ({ name, status, reason }))));
