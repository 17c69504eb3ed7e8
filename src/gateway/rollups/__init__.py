"""Rollups: materialized views that are never stale. Declared once; everything else is rendered from the declaration."""
