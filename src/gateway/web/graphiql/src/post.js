/**
 * Posts a GraphQL request. The body of the answer, and what its headers say: whether it was kept, and in how many
 * seconds the same may be asked again, where it was refused for now.
 */
export async function post(endpoint, params, headers, options) {
  const sent = new Headers(headers);
  sent.set("Content-Type", "application/json");
  sent.set("Accept", "application/graphql-response+json, application/json;q=0.9");
  const response = await fetch(endpoint, { ...options, method: "POST", headers: sent, body: JSON.stringify(params) });
  return {
    status: response.status,
    body: await response.json(),
    kept: ["HIT", "STALE"].includes(response.headers.get("X-Cache")),
    retryAfterSeconds: Number(response.headers.get("Retry-After")),
  };
}
