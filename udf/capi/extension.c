//go:build saedb_extension

// In the loadable extension DuckDB is not linked in: the table is filled from the
// struct of pointers that DuckDB hands over when it loads the extension.

#include <pthread.h>
#include <stdio.h>

#include "extension.h"
#include "positions.h"

saedb_capi saedb_api;

#define X(ret, name, params, args) saedb_api.name = (ret(*) params) table[at_##name];
void saedb_fill(const void *struct_of_pointers) {
	void *const *table = struct_of_pointers;
	SAEDB_CAPI(X)
	int major = 0, minor = 0, patch = 0;
	char more = 0; // as of v1.5.6-dev7, which is not v1.5.6 yet
	sscanf(saedb_api.duckdb_library_version(), "v%d.%d.%d%c", &major, &minor, &patch, &more);
	if (more == 0 && (major > 1 || (major == 1 && (minor > 5 || (minor == 5 && patch >= 6))))) {
		SAEDB_CAPI_RUNS(X)
	}
}
#undef X

static void forked(void) { saedb_forked = true; }

bool saedb_watch_forks(void) { return pthread_atfork(NULL, NULL, forked) == 0; }

bool saedb_filled_from(const void *struct_of_pointers) {
	void *const *table = struct_of_pointers;
	return (void *)saedb_api.duckdb_query == table[at_duckdb_query];
}

handle saedb_instance(handle database) { return **(handle **)database; }

// A duckdb_connection points to a duckdb::Connection, which begins with the pointer
// to its ClientContext, which begins with a weak pointer to itself (two words),
// followed by the pointer to the DatabaseInstance.
bool saedb_connection_is_of(handle connection, handle instance) {
	handle *context = *(handle **)connection;
	return context[0] == (handle)context && context[2] == instance;
}

handle saedb_context(handle connection) { return *(handle *)connection; }

// After these three words comes the second of the pointer to the DatabaseInstance, and then
// the byte.
enum { interrupted_at = 4 * sizeof(handle) };

static char interrupted(handle connection) {
	return __atomic_load_n((char *)saedb_context(connection) + interrupted_at, __ATOMIC_SEQ_CST);
}

bool saedb_interrupt_shows(handle connection) {
	if (!saedb_api.duckdb_client_context_get_connection_id || interrupted(connection) != 0) {
		return false;
	}
	saedb_api.duckdb_interrupt(connection);
	return interrupted(connection) == 1;
}

void saedb_interrupt_cleared(handle connection) {
	if (interrupted(connection) == 0) {
		saedb_interrupted_at = interrupted_at;
	}
}

void saedb_point_to(saedb_weak_database *weak, handle instance) {
	weak->duckdb[0] = instance;
	weak->wrapper[0] = weak->duckdb;
}
