-- The rows of a file as they were read: values have their types, references are still names.
CREATE TEMP TABLE staging (line bigint NOT NULL, {columns}) ON COMMIT DROP
