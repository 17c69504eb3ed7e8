// Who asks: the claims of the bearer token, verified for each request.
import { createVerifier } from "fast-jwt";
import { GraphQLError } from "graphql";

const verify = createVerifier({
  key: process.env.JWT_SECRET,
  algorithms: ["HS256"],
  requiredClaims: ["tenant", "sub", "exp"],
  // Checked signatures are remembered, as the gateway does; expiry is checked each time. By the token itself: hashing it
  // costs more than it saves.
  cache: true,
  cacheKeyBuilder: (token) => token,
});

class RefusedError extends GraphQLError {
  statusCode = 401; // read by Fastify
  constructor() {
    super("Send a valid bearer token.", { extensions: { http: { status: 401 } } }); // read by Yoga
  }
}

/** `{ tenant, sub, … }` of an `Authorization` header. Throws RefusedError. */
export function callerOf(authorization) {
  try {
    const claims = verify(authorization.slice("Bearer ".length));
    if (claims.token_use === "access") return claims;
  } catch {
    // said below
  }
  throw new RefusedError();
}
