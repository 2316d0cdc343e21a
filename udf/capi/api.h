// The part of DuckDB's C API that saedb uses, reached through one table of
// function pointers.
//
// The program fills the table with the symbols it is linked with (linked.c);
// the loadable extension, which must not link DuckDB, fills it from the struct
// that DuckDB hands to its entry point. Everything here is in the stable C API
// v1.2.0, and the functions of SAEDB_CAPI_RUNS in v1.5.6, of which an older DuckDB leaves
// the pointers NULL; all as in the header of the version in go.mod, which header_test.go holds
// it against. Handles are opaque pointers in both.
#ifndef SAEDB_CAPI_H
#define SAEDB_CAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t idx_t;
typedef void *handle;
typedef int duckdb_state; // 0 is success
enum { PENDING_RESULT_READY, PENDING_RESULT_NOT_READY, PENDING_ERROR, PENDING_NO_TASKS_AVAILABLE };
typedef void (*delete_callback)(void *);
typedef void (*scalar_callback)(handle info, handle input, handle output);
typedef void (*table_callback)(handle info, handle output);
typedef void (*info_callback)(handle info);
typedef void (*replacement_callback)(handle info, const char *table, void *data);

// duckdb_result as DuckDB lays it out; only internal_data is still in use.
typedef struct {
	idx_t column_count, row_count, rows_changed;
	void *columns;
	char *error_message;
	void *internal_data;
} duckdb_result;

// A VARCHAR as it lies in a vector: up to 12 bytes inlined, longer ones by pointer.
typedef struct {
	uint32_t length;
	char prefix[4];
	char *pointer; // only when length > 12
} duckdb_string;

// Microseconds since 1970.
typedef struct {
	int64_t micros;
} duckdb_timestamp;

// X(return type, name, parameters, arguments)
#define SAEDB_CAPI(X)                                                                                                  \
	X(duckdb_state, duckdb_connect, (handle database, handle *out), (database, out))                                   \
	X(void, duckdb_interrupt, (handle con), (con))                                                                     \
	X(void, duckdb_disconnect, (handle *con), (con))                                                                   \
	X(handle, duckdb_create_logical_type, (int type), (type))                                                          \
	X(handle, duckdb_create_list_type, (handle child), (child))                                                        \
	X(handle, duckdb_create_struct_type, (handle *types, const char **names, idx_t n), (types, names, n))              \
	X(void, duckdb_destroy_logical_type, (handle *type), (type))                                                       \
	X(int, duckdb_get_type_id, (handle type), (type))                                                                  \
	X(handle, duckdb_list_type_child_type, (handle type), (type))                                                      \
	X(handle, duckdb_array_type_child_type, (handle type), (type))                                                     \
	X(idx_t, duckdb_array_type_array_size, (handle type), (type))                                                      \
	X(handle, duckdb_create_scalar_function, (void), ())                                                               \
	X(void, duckdb_destroy_scalar_function, (handle *f), (f))                                                          \
	X(void, duckdb_scalar_function_set_name, (handle f, const char *name), (f, name))                                  \
	X(void, duckdb_scalar_function_add_parameter, (handle f, handle type), (f, type))                                  \
	X(void, duckdb_scalar_function_set_return_type, (handle f, handle type), (f, type))                                \
	X(void, duckdb_scalar_function_set_extra_info, (handle f, void *info, delete_callback del), (f, info, del))        \
	X(void, duckdb_scalar_function_set_function, (handle f, scalar_callback call), (f, call))                          \
	X(void *, duckdb_scalar_function_get_extra_info, (handle info), (info))                                            \
	X(void, duckdb_scalar_function_set_error, (handle info, const char *error), (info, error))                         \
	X(handle, duckdb_create_scalar_function_set, (const char *name), (name))                                           \
	X(duckdb_state, duckdb_add_scalar_function_to_set, (handle set, handle f), (set, f))                               \
	X(duckdb_state, duckdb_register_scalar_function_set, (handle con, handle set), (con, set))                         \
	X(void, duckdb_destroy_scalar_function_set, (handle *set), (set))                                                  \
	X(handle, duckdb_create_table_function, (void), ())                                                                \
	X(void, duckdb_destroy_table_function, (handle *f), (f))                                                           \
	X(void, duckdb_table_function_set_name, (handle f, const char *name), (f, name))                                   \
	X(void, duckdb_table_function_add_parameter, (handle f, handle type), (f, type))                                   \
	X(void, duckdb_table_function_add_named_parameter, (handle f, const char *name, handle type), (f, name, type))      \
	X(void, duckdb_table_function_set_extra_info, (handle f, void *info, delete_callback del), (f, info, del))         \
	X(void, duckdb_table_function_set_bind, (handle f, info_callback call), (f, call))                                 \
	X(void, duckdb_table_function_set_init, (handle f, info_callback call), (f, call))                                 \
	X(void, duckdb_table_function_set_function, (handle f, table_callback call), (f, call))                            \
	X(void, duckdb_table_function_supports_projection_pushdown, (handle f, bool on), (f, on))                          \
	X(duckdb_state, duckdb_register_table_function, (handle con, handle f), (con, f))                                  \
	X(void *, duckdb_bind_get_extra_info, (handle info), (info))                                                       \
	X(handle, duckdb_bind_get_parameter, (handle info, idx_t i), (info, i))                                            \
	X(handle, duckdb_bind_get_named_parameter, (handle info, const char *name), (info, name))                          \
	X(void, duckdb_bind_add_result_column, (handle info, const char *name, handle type), (info, name, type))           \
	X(void, duckdb_bind_set_bind_data, (handle info, void *data, delete_callback del), (info, data, del))              \
	X(void, duckdb_bind_set_cardinality, (handle info, idx_t rows, bool exact), (info, rows, exact))                   \
	X(void, duckdb_bind_set_error, (handle info, const char *error), (info, error))                                    \
	X(void *, duckdb_init_get_bind_data, (handle info), (info))                                                        \
	X(void, duckdb_init_set_init_data, (handle info, void *data, delete_callback del), (info, data, del))              \
	X(idx_t, duckdb_init_get_column_count, (handle info), (info))                                                      \
	X(idx_t, duckdb_init_get_column_index, (handle info, idx_t i), (info, i))                                          \
	X(void, duckdb_init_set_max_threads, (handle info, idx_t n), (info, n))                                            \
	X(void, duckdb_init_set_error, (handle info, const char *error), (info, error))                                    \
	X(void *, duckdb_function_get_init_data, (handle info), (info))                                                    \
	X(void, duckdb_function_set_error, (handle info, const char *error), (info, error))                                \
	X(char *, duckdb_get_varchar, (handle value), (value))                                                             \
	X(bool, duckdb_is_null_value, (handle value), (value))                                                             \
	X(void, duckdb_destroy_value, (handle *value), (value))                                                            \
	X(void, duckdb_free, (void *pointer), (pointer))                                                                   \
	X(idx_t, duckdb_data_chunk_get_size, (handle chunk), (chunk))                                                      \
	X(handle, duckdb_data_chunk_get_vector, (handle chunk, idx_t column), (chunk, column))                             \
	X(void, duckdb_data_chunk_set_size, (handle chunk, idx_t size), (chunk, size))                                     \
	X(void, duckdb_destroy_data_chunk, (handle *chunk), (chunk))                                                       \
	X(idx_t, duckdb_vector_size, (void), ())                                                                           \
	X(void *, duckdb_vector_get_data, (handle vector), (vector))                                                       \
	X(uint64_t *, duckdb_vector_get_validity, (handle vector), (vector))                                               \
	X(void, duckdb_vector_ensure_validity_writable, (handle vector), (vector))                                         \
	X(handle, duckdb_vector_get_column_type, (handle vector), (vector))                                                \
	X(void, duckdb_vector_assign_string_element_len, (handle vector, idx_t i, const char *s, idx_t n),                 \
	  (vector, i, s, n))                                                                                               \
	X(handle, duckdb_list_vector_get_child, (handle vector), (vector))                                                 \
	X(idx_t, duckdb_list_vector_get_size, (handle vector), (vector))                                                   \
	X(duckdb_state, duckdb_list_vector_set_size, (handle vector, idx_t size), (vector, size))                          \
	X(duckdb_state, duckdb_list_vector_reserve, (handle vector, idx_t capacity), (vector, capacity))                   \
	X(handle, duckdb_struct_vector_get_child, (handle vector, idx_t i), (vector, i))                                   \
	X(handle, duckdb_array_vector_get_child, (handle vector), (vector))                                                \
	X(duckdb_state, duckdb_query, (handle con, const char *sql, duckdb_result *out), (con, sql, out))                  \
	X(const char *, duckdb_result_error, (duckdb_result *result), (result))                                            \
	X(duckdb_state, duckdb_prepare, (handle con, const char *sql, handle *out), (con, sql, out))                       \
	X(const char *, duckdb_prepare_error, (handle statement), (statement))                                             \
	X(void, duckdb_destroy_prepare, (handle *statement), (statement))                                                  \
	X(idx_t, duckdb_nparams, (handle statement), (statement))                                                          \
	X(duckdb_state, duckdb_bind_boolean, (handle statement, idx_t i, bool value), (statement, i, value))               \
	X(duckdb_state, duckdb_bind_int64, (handle statement, idx_t i, int64_t value), (statement, i, value))              \
	X(duckdb_state, duckdb_bind_double, (handle statement, idx_t i, double value), (statement, i, value))              \
	X(duckdb_state, duckdb_bind_timestamp, (handle statement, idx_t i, duckdb_timestamp value), (statement, i, value)) \
	X(duckdb_state, duckdb_bind_varchar_length, (handle statement, idx_t i, const char *s, idx_t n), (statement, i, s, n)) \
	X(duckdb_state, duckdb_bind_null, (handle statement, idx_t i), (statement, i))                                     \
	X(duckdb_state, duckdb_pending_prepared, (handle statement, handle *out), (statement, out))                        \
	X(void, duckdb_destroy_pending, (handle *pending), (pending))                                                      \
	X(const char *, duckdb_pending_error, (handle pending), (pending))                                                 \
	X(int, duckdb_pending_execute_task, (handle pending), (pending))                                                   \
	X(duckdb_state, duckdb_execute_pending, (handle pending, duckdb_result *out), (pending, out))                      \
	X(idx_t, duckdb_column_count, (duckdb_result *result), (result))                                                   \
	X(const char *, duckdb_column_name, (duckdb_result *result, idx_t i), (result, i))                                 \
	X(idx_t, duckdb_rows_changed, (duckdb_result *result), (result))                                                   \
	X(void, duckdb_scalar_function_set_volatile, (handle f), (f))                                                      \
	X(handle, duckdb_fetch_chunk, (duckdb_result result), (result))                                                    \
	X(void, duckdb_destroy_result, (duckdb_result *result), (result))                                                  \
	X(void, duckdb_add_replacement_scan, (handle db, replacement_callback call, void *data, delete_callback del),      \
	  (db, call, data, del))                                                                                           \
	X(void, duckdb_replacement_scan_set_function_name, (handle info, const char *name), (info, name))                  \
	X(const char *, duckdb_library_version, (void), ())

// What tells one run of a function from another, and on which connection it is.
#define SAEDB_CAPI_RUNS(X)                                                                                             \
	X(void, duckdb_scalar_function_set_init, (handle f, info_callback call), (f, call))                                \
	X(void, duckdb_scalar_function_init_set_state, (handle info, void *state, delete_callback del), (info, state, del)) \
	X(void *, duckdb_scalar_function_get_state, (handle info), (info))                                                 \
	X(void, duckdb_scalar_function_init_get_client_context, (handle info, handle *out), (info, out))                   \
	X(void, duckdb_table_function_get_client_context, (handle info, handle *out), (info, out))                         \
	X(idx_t, duckdb_client_context_get_connection_id, (handle context), (context))                                     \
	X(void, duckdb_destroy_client_context, (handle *context), (context))

typedef struct {
#define X(ret, name, params, args) ret(*name) params;
	SAEDB_CAPI(X)
	SAEDB_CAPI_RUNS(X)
#undef X
} saedb_capi;

extern saedb_capi saedb_api;

// call_duckdb_x(…) calls duckdb_x through the table; cgo cannot call a pointer.
#define X(ret, name, params, args)                                                                                     \
	static inline ret call_##name params { return saedb_api.name args; }
SAEDB_CAPI(X)
SAEDB_CAPI_RUNS(X)
#undef X

// What DuckDB calls back (callbacks.c), and the Go that does the work.
void saedb_scalar_init(handle info);
void saedb_scalar(handle info, handle input, handle output);
void saedb_table_bind(handle info);
void saedb_table_init(handle info);
void saedb_table_scan(handle info, handle output);
void saedb_release(void *owner);
void saedbScalarInit(handle info);
void saedbScalar(handle info, handle input, handle output);
void saedbTableBind(handle info);
void saedbTableInit(handle info);
void saedbTableScan(handle info, handle output);
void saedbRelease(void *owner);

// Whether this process was forked from the one that loaded the extension, and what a
// call says there.
extern bool saedb_forked;
#define SAEDB_FORKED                                                                                                   \
	"saedb: this process was forked from one that has the extension loaded, which leaves it without Go's threads; "     \
	"start it with spawn instead, as multiprocessing.get_context(\"spawn\") does"

// Owners are cgo.Handle values, which are integers: the conversions to and from
// pointers are done here, since Go's checkers rightly distrust them.
static inline void set_scalar_owner(handle f, uintptr_t owner, bool runs) {
	saedb_api.duckdb_scalar_function_set_extra_info(f, (void *)owner, saedb_release);
	saedb_api.duckdb_scalar_function_set_function(f, saedb_scalar);
	if (runs && saedb_api.duckdb_scalar_function_set_init) {
		saedb_api.duckdb_scalar_function_set_init(f, saedb_scalar_init);
	}
}
static inline void set_scalar_state(handle info, uintptr_t owner) {
	saedb_api.duckdb_scalar_function_init_set_state(info, (void *)owner, saedb_release);
}
static inline uintptr_t scalar_state(handle info) {
	return saedb_api.duckdb_scalar_function_get_state ? (uintptr_t)saedb_api.duckdb_scalar_function_get_state(info) : 0;
}
// Where a ClientContext has the byte that says that it was interrupted, 0 where that is not
// known: extension.c finds it. DuckDB has no function for it.
extern size_t saedb_interrupted_at;
// What extension.c looks for among the contexts that DuckDB hands over, and whether it was one.
extern handle saedb_sought;
extern bool saedb_sought_found;

// What runs a scalar function (scalar) or binds a table function.
typedef struct {
	int64_t id;              // number of the connection, -1 where DuckDB does not say
	const char *interrupted; // byte of its context, NULL where that is not known
} saedb_connection;

static inline saedb_connection connection_of(handle info, bool scalar) {
	handle context;
	saedb_connection found = {-1, NULL};
	if (!saedb_api.duckdb_client_context_get_connection_id) {
		return found;
	}
	if (scalar) {
		saedb_api.duckdb_scalar_function_init_get_client_context(info, &context);
	} else {
		saedb_api.duckdb_table_function_get_client_context(info, &context);
	}
	found.id = (int64_t)saedb_api.duckdb_client_context_get_connection_id(context);
	if (saedb_interrupted_at) {
		found.interrupted = *(const char **)context + saedb_interrupted_at;
	} else if (saedb_sought && *(handle *)context == saedb_sought) {
		saedb_sought_found = true;
	}
	saedb_api.duckdb_destroy_client_context(&context);
	return found;
}
static inline bool is_interrupted(const char *interrupted) { return __atomic_load_n(interrupted, __ATOMIC_RELAXED) != 0; }
static inline void set_table_owner(handle f, uintptr_t owner) {
	saedb_api.duckdb_table_function_set_extra_info(f, (void *)owner, saedb_release);
	saedb_api.duckdb_table_function_set_bind(f, saedb_table_bind);
	saedb_api.duckdb_table_function_set_init(f, saedb_table_init);
	saedb_api.duckdb_table_function_set_function(f, saedb_table_scan);
}
// A name that no table has is handed to replace_table with one that a table
// function has; when they are the same, the function stands in.
void replace_table(handle info, const char *table, void *function);
static inline void add_replacement(handle db, char *function, delete_callback del) {
	saedb_api.duckdb_add_replacement_scan(db, replace_table, function, del);
}
static inline uintptr_t scalar_owner(handle info) { return (uintptr_t)saedb_api.duckdb_scalar_function_get_extra_info(info); }
static inline uintptr_t bind_owner(handle info) { return (uintptr_t)saedb_api.duckdb_bind_get_extra_info(info); }
static inline uintptr_t init_owner(handle info) { return (uintptr_t)saedb_api.duckdb_init_get_bind_data(info); }
static inline uintptr_t scan_owner(handle info) { return (uintptr_t)saedb_api.duckdb_function_get_init_data(info); }
static inline void set_bind_owner(handle info, uintptr_t owner) {
	saedb_api.duckdb_bind_set_bind_data(info, (void *)owner, saedb_release);
}
static inline void set_init_owner(handle info, uintptr_t owner) {
	saedb_api.duckdb_init_set_init_data(info, (void *)owner, saedb_release);
}

#endif
