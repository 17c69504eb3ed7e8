"""The server to compare with: what one writes by hand with Strawberry, its dataloaders and an asyncpg pool.

It answers the measured queries alone, with the same numbers. It has no sign-in, no limits, no snapshot over several
statements and no second wall between tenants: it takes the tenant's id from a header, and reads with a role that row
policies do not hold. All of that favours it.
"""
