# What DuckDB's extension CI (duckdb/extension-ci-tools, _extension_distribution.yml) calls in
# an extension's Makefile. It sets DUCKDB_PLATFORM, calls configure_ci and release, on Linux in
# a container with LINUX_CI_IN_DOCKER=1, and takes build/release/extension/saedb/
# saedb.duckdb_extension. saedb is for the stable C API, the same file for every DuckDB from
# 1.3 on, so the targets that choose a version of DuckDB have nothing to do.
COMMUNITY := packaging/community-extension
RELEASE := build/release/extension/saedb/saedb.duckdb_extension

.PHONY: configure_ci release test_release set_duckdb_version set_duckdb_tag output_distribution_matrix
configure_ci:
	$(COMMUNITY)/go.sh version

release:
	$(COMMUNITY)/build.sh $(RELEASE)

# In the container there is no Python with DuckDB; CI calls it again outside.
test_release:
ifeq ($(LINUX_CI_IN_DOCKER)$(SKIP_TESTS),)
	$(COMMUNITY)/test.sh $(RELEASE)
else ifeq ($(LINUX_CI_IN_DOCKER)$(SKIP_TESTS),0)
	$(COMMUNITY)/test.sh $(RELEASE)
else
	@echo "test_release: left out, by LINUX_CI_IN_DOCKER or SKIP_TESTS"
endif

set_duckdb_version set_duckdb_tag:
	@:

output_distribution_matrix:
	@cat extension-ci-tools/config/distribution_matrix.json
