"""Who is calling: a bearer token to claims, claims to a tenant, a member and a role."""
