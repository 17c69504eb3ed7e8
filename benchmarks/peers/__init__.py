"""Two servers of Node to compare cached answers with: Mercurius and GraphQL Yoga, each with its response cache."""
