// GraphQL Yoga with its response cache: `node yoga.mjs PORT`.
import { createServer } from "node:http";
import { useResponseCache } from "@graphql-yoga/plugin-response-cache";
import { createSchema, createYoga } from "graphql-yoga";
import { callerOf } from "./caller.mjs";
import { counted } from "./dashboard.mjs";
import { resolvers, typeDefs } from "./schema.mjs";

const TTL_MS = 3_600_000;
const caller = (request) => callerOf(request.headers.get("authorization"));

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: ({ request }) => ({ caller: caller(request) }),
  plugins: [useResponseCache({ ttl: TTL_MS, session: (request) => caller(request).tenant }), stats()],
  graphiql: false,
  landingPage: false,
  logging: false,
});
createServer(yoga).listen(Number(process.argv[2]), "127.0.0.1");

function stats() {
  return {
    onRequest({ url, fetchAPI, endResponse }) {
      if (url.pathname === "/stats") endResponse(fetchAPI.Response.json(counted));
    },
  };
}
