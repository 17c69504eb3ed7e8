"""CSV files of another system become a tenant's records, as a declared mapping says. `docs/import.md` explains it.

From the mapping to the row: `mapping` (what is declared), `plan` (how a row of text becomes values), `reading` (a
file as rows), `statements` (the SQL of one file), `importer` (one transaction a file), `command` (the terminal).
"""
