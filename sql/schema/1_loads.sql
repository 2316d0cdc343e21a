-- The tables. Names begin with stored_; people and tools read the
-- views of sql/views, which call no saedb function, so that any DuckDB client can.
--
-- Every row leads back to a row of stored_loads: model_id and sae_id are the
-- load_id of the load that made them. A replaced load keeps its record there.
-- Nothing has a primary key: DuckDB would refuse to delete and insert the same
-- key in one transaction, which is what replacing a load does; the loader keeps
-- names unique.
--
-- Weights are stored uncompressed: DuckDB would choose ALP-RD, which for the
-- mantissas of float32 weights takes 6.2 bytes a value (measured) and time.

CREATE TABLE stored_schema (version INTEGER NOT NULL, written_by VARCHAR NOT NULL);
COMMENT ON TABLE stored_schema IS 'The version of this schema; a saedb older than it refuses the file, a newer one upgrades it.';
COMMENT ON COLUMN stored_schema.version IS 'Schema version.';
COMMENT ON COLUMN stored_schema.written_by IS 'Version of saedb that wrote the schema, or upgraded it.';

CREATE TABLE stored_loads (
    load_id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    release VARCHAR,
    source VARCHAR NOT NULL,
    revision VARCHAR,
    format VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    conventions VARCHAR NOT NULL,
    saedb_version VARCHAR NOT NULL,
    loaded_at TIMESTAMP NOT NULL,
    seconds DOUBLE,
    replaced_by INTEGER
);
COMMENT ON TABLE stored_loads IS 'One row for every load, kept when a later load replaces it.';
COMMENT ON COLUMN stored_loads.load_id IS 'Number of the load; the model_id, sae_id or lens_id of what it made, the load_id of explanations.';
COMMENT ON COLUMN stored_loads.kind IS 'model, sae, lens or explanations.';
COMMENT ON COLUMN stored_loads.name IS 'Name that the model, SAE or lens has in this database; of explanations, the file''s.';
COMMENT ON COLUMN stored_loads.release IS 'Release of an SAE.';
COMMENT ON COLUMN stored_loads.source IS 'Absolute path that was loaded; of what came from the Hub, org/name/path.';
COMMENT ON COLUMN stored_loads.revision IS 'Commit of the Hub''s repository; NULL for local files.';
COMMENT ON COLUMN stored_loads.format IS 'File format, as detected.';
COMMENT ON COLUMN stored_loads.sha256 IS 'SHA-256 of the file; of several files, the SHA-256 of the lines that sha256sum prints for them, sorted by name.';
COMMENT ON COLUMN stored_loads.bytes IS 'Size of the files in bytes.';
COMMENT ON COLUMN stored_loads.conventions IS 'What was done to the weights: processing of the unembedding, scale of the decoder. Of explanations, the Neuronpedia ids that they are of.';
COMMENT ON COLUMN stored_loads.saedb_version IS 'Version of saedb that loaded it.';
COMMENT ON COLUMN stored_loads.loaded_at IS 'When, in UTC.';
COMMENT ON COLUMN stored_loads.seconds IS 'How long the load took.';
COMMENT ON COLUMN stored_loads.replaced_by IS 'load_id of the load that replaced this one; NULL while it is current.';

CREATE TABLE stored_load_files (
    load_id INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL
);
COMMENT ON TABLE stored_load_files IS 'The files that a load read.';
COMMENT ON COLUMN stored_load_files.load_id IS 'The load.';
COMMENT ON COLUMN stored_load_files.path IS 'Path of the file, relative to the source when it lies below it.';
COMMENT ON COLUMN stored_load_files.bytes IS 'Size in bytes.';
COMMENT ON COLUMN stored_load_files.sha256 IS 'SHA-256 of the content, in hexadecimal.';

-- What a load wrote, so that weights can be checked when the files are gone. It
-- finds damage, by accident or by hand; it is no defence against forgery.
CREATE TABLE stored_contents (
    load_id INTEGER NOT NULL,
    stored_table VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    row_hash BIGINT NOT NULL
);
COMMENT ON TABLE stored_contents IS 'Number and hash of the rows that each current load wrote, which saedb check compares.';
COMMENT ON COLUMN stored_contents.load_id IS 'The load.';
COMMENT ON COLUMN stored_contents.stored_table IS 'Table that the rows are in: stored_decoders, stored_encoders, stored_unembeddings, stored_embeddings, stored_tokens, stored_lens_matrices, stored_explanations or stored_neuronpedia_features.';
COMMENT ON COLUMN stored_contents.row_count IS 'Number of rows.';
COMMENT ON COLUMN stored_contents.row_hash IS 'bit_xor over the rows of row_hash of the weights, and of an MD5 of what else they hold; of explanations the sum of MD5s, modulo 2^63 - 1.';
