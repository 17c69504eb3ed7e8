// What answers tell of prices.
import { grouped, pointsOf } from "./words.js";

const PATHS = 5;
const refusalOf = ({ body }) => body.errors?.[0]?.extensions ?? {};

/**
 * Of a dry run or a refusal: `{ points, most, paths: [{ path, cost, remedy }] }`, the dearest first. `most` and
 * `remedy` only where it costs more than one operation may. Null where no paths were told.
 */
export function priceOf(answer) {
  const { code, cost: refused, most, dearest } = refusalOf(answer);
  if (code === "COST_LIMIT_EXCEEDED") return { points: refused, most, paths: dearest };
  const cost = answer.body.extensions?.cost;
  return cost?.fields && !code ? { points: cost.requestedQueryCost, paths: cost.fields.slice(0, PATHS) } : null;
}

/** Why a dry run told no price, in a line. */
export function reasonOf({ status, body }) {
  if (status === 401) return "Not signed in: put a token into the headers to see prices.";
  return body.errors ? `No price: ${body.errors[0].message}` : null;
}

/** What became of an operation that was run, in a few words; null where the answer does not say what it cost. */
export function outcomeOf(answer) {
  const { code, most } = refusalOf(answer);
  if (code === "THROTTLED") return "Refused for now";
  if (code === "COST_LIMIT_EXCEEDED") return `Refused: more than ${pointsOf(most)}`;
  const { requestedQueryCost: asked, actualQueryCost: cost } = answer.body.extensions?.cost ?? {};
  if (cost === undefined) return null;
  return answer.kept ? `${grouped(cost)}: out of the cache` : `Asked ${grouped(asked)}, cost ${grouped(cost)}`;
}

/** In how many seconds an operation fits that was refused for now; null where it was not, or nobody says. */
export function secondsRefused(answer) {
  return (refusalOf(answer).code === "THROTTLED" && answer.retryAfterSeconds) || null;
}
