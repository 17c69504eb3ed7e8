// Mercurius with mercurius-cache: `node mercurius.mjs PORT`.
import { createHash } from "node:crypto";
import fastify from "fastify";
import { print } from "graphql";
import mercurius from "mercurius";
import cache from "mercurius-cache";
import { callerOf } from "./caller.mjs";
import { counted } from "./dashboard.mjs";
import { resolvers, typeDefs } from "./schema.mjs";

const TTL_SECONDS = 3600;
const app = fastify({ logger: false });

app.register(mercurius, {
  schema: typeDefs,
  resolvers,
  jit: 1,
  context: (request) => ({ caller: callerOf(request.headers.authorization) }),
});
app.register(cache, { ttl: TTL_SECONDS, policy: { Query: { dashboard: { key: cacheKey } } } });
app.get("/stats", () => counted);
await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });

/** By default a key holds neither the tenant nor what is selected below the first level, arguments included. */
function cacheKey({ ctx, info }) {
  return `${documentHash(info)} ${JSON.stringify(info.variableValues)} ${ctx.caller.tenant}`;
}

/** Mercurius keeps parsed documents, so that each is printed and hashed once. */
const hashes = new WeakMap();
function documentHash({ operation, fragments }) {
  let hash = hashes.get(operation);
  if (hash === undefined) {
    const text = [operation, ...Object.values(fragments)].map(print).join();
    hash = createHash("sha256").update(text).digest("hex");
    hashes.set(operation, hash);
  }
  return hash;
}
