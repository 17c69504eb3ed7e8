// Asks what the operation at hand would cost.
import { tryParseJSONC } from "@graphiql/react";
import { parse, validate } from "graphql";
import { post } from "../post.js";
import { whenQuiet } from "./quiet.js";

const QUIET_MILLISECONDS = 400;
const PATIENCE_MILLISECONDS = 10_000;

/**
 * `changed` is to be called when an editor changed, `moved` when another operation may be at hand. `read` gives what
 * the editors hold: texts, the cursor's offset in the query and the name of the operation that was selected; and the
 * schema, if it is known.
 */
export function createPricing(endpoint, costs, read) {
  let changes = 0;
  let priced = null;
  let heeded = false;

  async function dryRun(params, headers) {
    const sent = new Headers(headers);
    sent.set("GraphQL-Cost", "dry-run");
    return post(endpoint, params, sent, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
  }

  /** Were the header dropped on the way, what is typed would be executed: first it is tried on what does nothing. */
  async function isHeeded(headers) {
    if (heeded) return true;
    const answer = await dryRun({ query: "{ __typename }" }, headers);
    heeded = answer.body.data === null && !answer.body.errors;
    if (!heeded) costs.priced(answer);
    return heeded;
  }

  async function ask({ headers, ...params }) {
    try {
      if (await isHeeded(headers)) costs.priced(await dryRun(params, headers));
    } catch (error) {
      priced = null; // so that the same is asked again
      costs.unpriced(`No price: ${error.message}`);
    }
  }

  const later = whenQuiet(async () => {
    const seen = changes;
    const question = questionOf(read());
    const before = priced;
    priced = question && JSON.stringify(question);
    if (!question) costs.unpriced();
    else if (priced !== before) await ask(question);
    costs.set({ old: changes !== seen });
  }, QUIET_MILLISECONDS);

  return {
    moved: later,
    changed() {
      changes += 1;
      costs.set({ old: true });
      later();
    },
  };
}

/** The request that is to be priced; null where there is none or the texts have faults, of which the editors tell. */
function questionOf({ query, variables, headers, schema, ...place }) {
  try {
    const document = parse(query);
    const operation = operationAt(place, document);
    if (!operation || (schema && validate(schema, document).length > 0)) return null;
    return {
      query,
      operationName: operation.name?.value,
      variables: tryParseJSONC(variables),
      headers: tryParseJSONC(headers),
    };
  } catch {
    return null;
  }
}

/** The operation under the cursor, else the one that was selected, else the first. */
function operationAt({ cursor, selected }, { definitions }) {
  const operations = definitions.filter(({ kind }) => kind === "OperationDefinition");
  const under = operations.find(({ loc }) => loc.start <= cursor && cursor <= loc.end);
  return under ?? operations.find(({ name }) => name?.value === selected) ?? operations[0];
}
