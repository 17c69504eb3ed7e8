"""The stress proof of the rollups, `make stress`: many write, workers are killed at work, readers compare."""
