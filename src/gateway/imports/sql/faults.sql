-- What is wrong with the rows that are rejected: line, number of the check, the first line of the same key, value.
SELECT q.line, f.fault, q.first_line, f.value
  FROM resolved AS q
 CROSS JOIN LATERAL (VALUES {faults}) AS f (fault, holds, value)
 WHERE q.is_faulty AND f.holds
 ORDER BY q.line, f.fault
