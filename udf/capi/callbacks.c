// What DuckDB calls. Each goes on to Go, but not in a process that was forked from
// the one that loaded the extension: only the forking thread lives on in it, and Go's
// runtime would wait for others forever. There a call is an error, and what DuckDB
// lets go of stays, until the process ends.

#include <stddef.h>

#include "api.h"

bool saedb_forked;
size_t saedb_interrupted_at;
handle saedb_sought;
bool saedb_sought_found;

void saedb_scalar_init(handle info) {
	if (saedb_forked) {
		saedb_api.duckdb_scalar_function_init_set_state(info, NULL, NULL);
		return; // and saedb_scalar says why it does not run
	}
	saedbScalarInit(info);
}

void saedb_scalar(handle info, handle input, handle output) {
	if (saedb_forked) {
		saedb_api.duckdb_scalar_function_set_error(info, SAEDB_FORKED);
		return;
	}
	saedbScalar(info, input, output);
}

void saedb_table_bind(handle info) {
	if (saedb_forked) {
		saedb_api.duckdb_bind_set_error(info, SAEDB_FORKED);
		return;
	}
	saedbTableBind(info);
}

void saedb_table_init(handle info) {
	if (saedb_forked) {
		saedb_api.duckdb_init_set_error(info, SAEDB_FORKED);
		return;
	}
	saedbTableInit(info);
}

void saedb_table_scan(handle info, handle output) {
	if (saedb_forked) {
		saedb_api.duckdb_function_set_error(info, SAEDB_FORKED);
		saedb_api.duckdb_data_chunk_set_size(output, 0);
		return;
	}
	saedbTableScan(info, output);
}

void saedb_release(void *owner) {
	if (!saedb_forked) {
		saedbRelease(owner);
	}
}
