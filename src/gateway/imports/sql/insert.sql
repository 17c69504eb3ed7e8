INSERT INTO {table} (tenant_id, id, {columns})
SELECT $1, r.id, {values} FROM resolved AS r WHERE NOT r.is_faulty AND r.is_new ORDER BY r.line
