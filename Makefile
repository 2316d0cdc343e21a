# saedb: make build, make demo, make test. Needs Go, a C/C++ compiler, make, cargo
# and npm; everything else comes from the package registries, into build/,
# internal/figures/assets/echarts/ and internal/web/assets/umap/. Without cargo and npm, go build ./cmd/saedb makes
# a program that lacks only what these two bring.

GO ?= go
PYTHON ?= python3
# What is built here is built with the tokenizer library, by tests and scripts too.
export GOFLAGS := $(strip $(GOFLAGS) -tags=tokenizers)
TOKENIZERS := build/lib/libtokenizers.stamp
CHARTS := build/chart-library.stamp

.PHONY: build demo test lint docs clean

build: bin/saedb

bin/saedb: $(TOKENIZERS) $(CHARTS) FORCE
	$(GO) build -o $@ ./cmd/saedb

# Rebuilt when its version or recipe changes, which the script itself tells.
$(TOKENIZERS): FORCE
	@scripts/libtokenizers.sh

# The extension for any DuckDB, without DuckDB or the tokenizer library in it.
# PLATFORM=linux_amd64_gcc4 is for DuckDB before 1.3 from PyPI.
EXTENSION := build/extension/saedb.duckdb_extension
.PHONY: extension
extension:
	$(GO) build -tags "saedb_extension $(TAGS)" -buildmode=c-shared -ldflags "-s -w -extldflags=-Wl,-Bsymbolic" -o $(dir $(EXTENSION))libsaedb.so ./extension
	$(GO) run ./extension/footer -library $(dir $(EXTENSION))libsaedb.so -output $(EXTENSION) $(if $(PLATFORM),-platform $(PLATFORM))
	@ls -l $(EXTENSION) | awk '{ printf "%s: %.1f MB\n", $$NF, $$5 / 1e6 }'

# The same by the contract of DuckDB's extension CI: configure_ci, release, test_release.
include packaging/community-extension/extension.mk

# The Python package, which carries the extension: build/wheel/saedb-*.whl.
.PHONY: wheel
wheel: extension
	cp $(EXTENSION) python/src/saedb/
	rm -rf build/wheel
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/wheel ./python
	@ls -l build/wheel/*.whl | awk '{ printf "%s: %.1f MB\n", $$NF, $$5 / 1e6 }'

# Wheels of the package with the extension and the program, for every platform, from
# one Linux machine, and of the example: build/wheels/out. dist adds archives of the
# program and of the extension, and checksums: build/dist. PLATFORMS=linux-amd64 is one.
.PHONY: wheels dist
wheels dist: $(CHARTS)
	@PYTHON=$(PYTHON) scripts/wheels.sh $@ $(PLATFORMS)

# The wheels as somebody uses them: installed, with the demo, in three DuckDBs; and what
# their machine code asks of a system. make test has the same tests, which skip where no
# wheels are built. scripts/wheels-chroot.sh does it on the oldest Debian there is.
.PHONY: test-wheels
test-wheels: $(TOKENIZERS) wheels python-clients
	$(GO) test ./test -count=1 -run 'TestWheels|TestDist|TestExampleWheel|TestInstalledWheel|TestWheelOfARM64' -v

$(CHARTS): FORCE
	@scripts/chart-library.sh

demo: build
	@bin/saedb demo

# Its last line is "N passed, N failed, N skipped"; a skip that test/skips.txt does not
# list is a failure.
# The longest package first: the others are tested beside what its tests leave of the processor.
# go vet is lint's, whole.
test: build lint python-clients clients bi-clients browser
	MAKEFLAGS= $(GO) run ./test/summary -skips test/skips.txt -- -vet=off -timeout 60m ./test ./...

lint: $(TOKENIZERS) $(CHARTS)
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "gofmt: these files are not formatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...
	GOFLAGS= $(GO) tool -modfile=tools/go.mod actionlint
	@scripts/javascript.sh

# Stock DuckDB clients, which the tests open a database with.
.PHONY: python-clients
python-clients:
	@scripts/python-clients.sh $(PYTHON)

# What docs/bi.md connects with, and the notebook runs in.
.PHONY: bi-clients
bi-clients:
	@scripts/bi-clients.sh $(PYTHON)

# The other clients, which the tests run examples/clients with.
.PHONY: clients
clients:
	@scripts/clients.sh $(PYTHON)

# The Python package with SAELens, TransformerLens and transformers themselves, which
# take 8 GB: see bench/peers/install.sh.
.PHONY: test-saelens
test-saelens: wheel
	bench/peers/install.sh $(PYTHON)
	rm -rf build/saelens
	build/peers/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --target build/saelens build/wheel/*.whl
	PYTHONPATH=build/saelens build/peers/bin/python -W ignore python/tests/test_saelens.py

# The package saedb_spark on a cluster of Spark's, a master and two workers on this
# machine, its results in a DuckLake, and all of it in object storage: 2.3 GB, and Java,
# PostgreSQL and Maven from Debian.
.PHONY: spark test-spark
spark: wheel
	@scripts/spark.sh $(PYTHON)
	rm -rf build/spark/site
	build/spark/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --target build/spark/site build/wheel/*.whl

test-spark: spark build
	PYTHONPATH=$(CURDIR)/build/spark/site build/spark/bin/python -m unittest -v python/tests/test_spark.py
	PYTHONPATH=$(CURDIR)/build/spark/ducklake:$(CURDIR)/build/spark/site build/spark/bin/python -m unittest -v python/tests/test_ducklake.py
	PYTHONPATH=$(CURDIR)/build/spark/site build/spark/bin/python -m unittest -v python/tests/test_spark_deployed.py

# Chromium and Firefox, which the tests drive the pages with.
# It may install packages of Debian, as clients does, which one at a time can.
.PHONY: browser
browser: | clients
	@scripts/browser.sh

# The kernels under AddressSanitizer and UndefinedBehaviorSanitizer.
.PHONY: test-sanitizers
test-sanitizers:
	$(GO) test -asan -skip TestGolden ./internal/compute
	CGO_CFLAGS="-g -O2 -fsanitize=undefined -fno-sanitize-recover=undefined" CGO_LDFLAGS="-fsanitize=undefined" \
		$(GO) test -skip TestGolden ./internal/compute
	$(GO) test -asan -run 'Matrix|Rank|Scores' ./internal/enrichment
	CGO_CFLAGS="-g -O2 -fsanitize=undefined -fno-sanitize-recover=undefined" CGO_LDFLAGS="-fsanitize=undefined" \
		$(GO) test -run 'Matrix|Rank|Scores' ./internal/enrichment

# Kernels and ranks on processors that this machine is not, under emulation (Debian's
# qemu-user-static and gcc-aarch64-linux-gnu): without AVX, with AVX2 alone, 64-bit ARM.
.PHONY: test-cpus test-neon
test-cpus:
	@scripts/test-cpus.sh

test-neon:
	@scripts/test-cpus.sh arm64

# Random data sets that lose digits, against the definitions, for AUDITTIME: half of it
# with the kernels that the processor has, half with the others under emulation.
AUDITTIME ?= 60
.PHONY: audit
audit:
	SAEDB_AUDIT=$$(($(AUDITTIME) * 30))s $(GO) test ./internal/enrichment -count=1 -timeout 0 -run '^TestAudit$$' -v
	AUDIT=$$(($(AUDITTIME) * 10))s scripts/test-cpus.sh

# What the extension leaves behind in DuckDB's shell, under Valgrind (Debian's valgrind).
.PHONY: test-leaks
test-leaks: $(TOKENIZERS) $(CHARTS) clients
	SAEDB_VALGRIND=1 $(GO) test ./test -count=1 -timeout 60m -run TestValgrind -v

# 500 kills at random moments, where make test has 50: docs/reliability.md.
.PHONY: crash
crash: $(TOKENIZERS) $(CHARTS)
	SAEDB_KILLS=500 $(GO) test ./test -count=1 -timeout 120m -run 'TestKilledAtRandom|TestExportKilled' -v

# The explorer attacked for ATTACKTIME, where make test does it for a minute: statements that
# change, crash and exhaust, and readers that stall, while pages are asked for.
ATTACKTIME ?= 10m
.PHONY: attack
attack: $(TOKENIZERS) $(CHARTS)
	SAEDB_ATTACKTIME=$(ATTACKTIME) $(GO) test ./test -count=1 -timeout 0 -run '^TestAttack$$' -v

# 2,500 system calls that fail, where make test has 12, and losses of power: docs/reliability.md.
# From about 2,000 on all that write fail in turn, and the rest ask for memory.
.PHONY: faults
faults: $(TOKENIZERS) $(CHARTS)
	SAEDB_FAULTS=$(or $(FAULTS),2500) $(GO) test ./test -count=1 -timeout 180m -run 'TestFaults$$' -v

# Every fuzz target for FUZZTIME, one after the other.
.PHONY: fuzz
fuzz: $(TOKENIZERS)
	scripts/fuzz.sh $(or $(FUZZTIME),30s)

# Statements over saedb's functions and views for FUZZSQL, with AddressSanitizer in saedb's Go
# and C (DuckDB's library is as it comes, its memory is the sanitizer's); FUZZSQLFLAGS=-race
# looks for data races, FUZZSQLFLAGS= is as make test has it.
FUZZSQL ?= 30m
FUZZSQLFLAGS ?= -asan
.PHONY: fuzz-sql
fuzz-sql: $(TOKENIZERS) $(CHARTS)
	SAEDB_FUZZSQL=$(FUZZSQL) $(GO) test $(FUZZSQLFLAGS) ./test/sqlfuzz -count=1 -timeout 0 -v

# What the program is made of, with licences: docs/dependencies.md and build/sbom/.
.PHONY: sbom
sbom: build
	scripts/sbom.sh bin/saedb

# Known vulnerabilities of what is linked; needs the network.
.PHONY: vulncheck
vulncheck: $(TOKENIZERS) $(CHARTS)
	$(GO) tool -modfile=tools/go.mod govulncheck ./...

# Benchmarks: bench/README.md. What they print is written into bench/RESULTS.md; BENCHES names some.
.PHONY: bench bench-kernel
bench: $(TOKENIZERS)
ifeq ($(BENCHES),)
	bench/peers/install.sh
	bench/enrichment/install.sh
endif
	$(GO) run ./bench/results $(or $(BENCHES),kernel saedb peers duckdb enrichment pairs lens explorer first serve calibration ladder)

# Whether p-values against the baseline hold; it fails where they do not.
.PHONY: bench-calibration
bench-calibration: $(TOKENIZERS)
	$(GO) run ./bench/calibration

.PHONY: bench-spark
bench-spark: spark build
	PYTHONPATH=$(CURDIR)/build/spark/site build/spark/bin/python bench/spark/main.py

# Its last line is fused_over_sgemm=R.
bench-kernel:
	@$(GO) run ./bench/kernel

# Links and neighbours per multiplication against the statistics' pass and OpenBLAS's product;
# its last lines are the ratios. QUICK=-quick shows in a minute that it works.
.PHONY: bench-pairs
bench-pairs: $(TOKENIZERS)
	@$(GO) run ./bench/pairs $(QUICK)

# Features through a lens against the direct ones, and their rank correlations: processor time and memory.
.PHONY: bench-lens
bench-lens: $(TOKENIZERS)
	@$(GO) run ./bench/lens $(QUICK)

# The references in docs/: of SQL, from the same text as the view functions and the
# comments, and of the commands, from their own help.
docs: build
	$(GO) test ./test -run TestReference -update
	$(GO) test ./cmd/saedb -run TestCommandsPage -update

clean:
	rm -rf bin build internal/figures/assets/echarts internal/web/assets/umap

.PHONY: FORCE
FORCE:
