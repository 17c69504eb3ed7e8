"""What rollups give and what they cost, beside the raw aggregates of the same data in the same run."""
