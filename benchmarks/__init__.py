"""How fast the gateway is, beside a plain Strawberry server on the same tables: `python -m benchmarks`."""
