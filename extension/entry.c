//go:build saedb_extension

#include "../udf/capi/extension.h"

bool saedbLoad(handle info, void *access);

// The entry point, whose name DuckDB makes of the file's. In a process forked from
// one that has the extension loaded, the library is there but Go's threads are not.
#ifdef _WIN32
__declspec(dllexport)
#endif
bool saedb_init_c_api(handle info, saedb_access *access) {
	if (saedb_forked) {
		access->set_error(info, SAEDB_FORKED);
		return false;
	}
	return saedbLoad(info, access);
}
