CREATE OR REPLACE VIEW loads AS
SELECT load_id, kind, name, source, revision, format, sha256, bytes, conventions, saedb_version, loaded_at, seconds, replaced_by
FROM stored_loads
ORDER BY load_id;
COMMENT ON VIEW loads IS 'Every load: what, from where, with which SHA-256, when, and what was done to the weights.';
COMMENT ON COLUMN loads.load_id IS 'Number of the load.';

CREATE OR REPLACE VIEW load_files AS
SELECT load_id, path, bytes, sha256 FROM stored_load_files ORDER BY load_id, path;
COMMENT ON VIEW load_files IS 'Every file that a load read, with its SHA-256.';
COMMENT ON COLUMN load_files.load_id IS 'The load, as in loads.';
COMMENT ON COLUMN load_files.sha256 IS 'SHA-256 of the content.';
