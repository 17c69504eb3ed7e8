"""Writes of the domain, one module for a command."""
