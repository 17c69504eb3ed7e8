import { post } from "./post.js";

const INTROSPECTION = "IntrospectionQuery";

/**
 * Sends the headers of the headers editor; while that is empty, or not yet on the page, `initialHeaders`. What was run
 * and answered is told to `costs`.
 */
export function createFetcher(endpoint, initialHeaders, costs) {
  const send = (params, { headers = initialHeaders } = {}) => post(endpoint, params, headers);

  async function introspect(...request) {
    const answer = await send(...request);
    costs.heard(answer);
    return answer.body;
  }

  async function run(...request) {
    costs.started();
    try {
      const answer = await send(...request);
      costs.finished(answer);
      return answer.body;
    } catch (error) {
      costs.failed();
      throw error;
    }
  }

  return (params, ...options) => (params.operationName === INTROSPECTION ? introspect : run)(params, ...options);
}
