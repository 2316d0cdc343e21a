//go:build !saedb_extension

// In the program DuckDB is linked in: the table holds its symbols.

#include "api.h"

#define X(ret, name, params, args) extern ret name params;
SAEDB_CAPI(X)
SAEDB_CAPI_RUNS(X)
#undef X

#define X(ret, name, params, args) .name = name,
saedb_capi saedb_api = {SAEDB_CAPI(X) SAEDB_CAPI_RUNS(X)};
#undef X
