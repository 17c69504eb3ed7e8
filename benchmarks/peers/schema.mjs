// The schema that both servers serve, and its one resolver.
import { readFileSync } from "node:fs";
import { parseResolveInfo } from "graphql-parse-resolve-info";
import { readDashboard } from "./dashboard.mjs";

export const typeDefs = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");

/** Everything is read at once, so that what lies below is plain data: nothing is resolved, or cached, field by field. */
export const resolvers = {
  Query: {
    dashboard: (_root, { period }, { caller }, info) => readDashboard(caller, { preset: period.preset, ...wantedIn(info) }),
  },
};

/** The arguments of the fields below a dashboard; the defaults of the schema where a field is not selected. */
function wantedIn(info) {
  const { trend, leaderboard, recent } = parseResolveInfo(info).fieldsByTypeName.Dashboard;
  const { activities, tasks } = recent?.fieldsByTypeName.DashboardRecent ?? {};
  return {
    interval: trend?.args.interval ?? "WEEK",
    sellers: leaderboard?.args.first ?? 10,
    activities: activities?.args.first ?? 10,
    tasks: tasks?.args.first ?? 5,
  };
}
