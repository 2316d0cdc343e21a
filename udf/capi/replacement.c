#include <strings.h>

#include "api.h"

void replace_table(handle info, const char *table, void *function) {
	if (strcasecmp(table, function) == 0) {
		saedb_api.duckdb_replacement_scan_set_function_name(info, function);
	}
}
