// What only the loadable extension needs of DuckDB.
#ifndef SAEDB_CAPI_EXTENSION_H
#define SAEDB_CAPI_EXTENSION_H

#include "api.h"

// struct duckdb_extension_access of duckdb.h.
typedef struct {
	void (*set_error)(handle info, const char *error);
	handle *(*get_database)(handle info);
	const void *(*get_api)(handle info, const char *version);
} saedb_access;

static inline void access_set_error(saedb_access *a, handle info, const char *error) { a->set_error(info, error); }
static inline handle *access_get_database(saedb_access *a, handle info) { return a->get_database(info); }
static inline const void *access_get_api(saedb_access *a, handle info, const char *version) {
	return a->get_api(info, version);
}

void saedb_fill(const void *struct_of_pointers);
bool saedb_filled_from(const void *struct_of_pointers);
bool saedb_watch_forks(void); // sets saedb_forked in every process forked from now on

// A duckdb_database that does not keep its database open: host.go says why.
//
// What duckdb_connect reads of a duckdb_database is a pointer to a pointer to the
// DatabaseInstance, each the first word of a shared pointer, whose second word, the
// counter, it leaves alone.
typedef struct {
	void *wrapper[4]; // a shared pointer to duckdb
	void *duckdb[4];  // a shared pointer to the DatabaseInstance
} saedb_weak_database;

handle saedb_instance(handle database);
bool saedb_connection_is_of(handle connection, handle instance);
handle saedb_context(handle connection);
// Whether duckdb_interrupt sets the byte that saedb_interrupted_at is to lead to; and, after
// another statement, uses it if that has cleared it.
bool saedb_interrupt_shows(handle connection);
void saedb_interrupt_cleared(handle connection);
void saedb_point_to(saedb_weak_database *weak, handle instance);

#endif
