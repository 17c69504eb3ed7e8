"""The GraphQL surface: types and thin resolvers, one module for a domain noun."""
