# Two commands are all a newcomer needs: `make demo` and `make check`. `make help` lists the rest.
# Each target installs the packages it lacks, configures and builds what it uses.

JOBS ?= $(shell nproc)
# How long each fuzzer runs under `make fuzz`, in seconds.
SECONDS ?= 600
export JOBS
export CMAKE_BUILD_PARALLEL_LEVEL = $(JOBS)

# How often to try to fetch the real model, and 1 to fail when its tests are skipped for lack of it.
MODEL_TRIES ?= 1
REQUIRE_MODEL ?=

ctest = scripts/run-tests $(if $(REQUIRE_MODEL),--require-model) \
  --output-on-failure --parallel $(JOBS) --no-tests=error --no-label-summary

.PHONY: help demo check packages model build programs fuzzers fuzz fuzz-smoke lint sanitize check-debian13 format \
  bench-aim evidence-e evidence-f evidence-i

# The steps use every core themselves, and the output has an order.
.NOTPARALLEL:

help:
	@echo 'make demo            build and show near-memory KV on a 70B model at 128K tokens'
	@echo 'make check           build and run every test, the source checks and a short fuzz'
	@echo 'make build           the Release program, build/release/memside'
	@echo 'make programs        systems/programs again, from the compiler'
	@echo 'make lint            only the source checks: floors, file length, reading order, format'
	@echo 'make format          rewrite the sources as clang-format wants them'
	@echo 'make sanitize        every test under ASan + UBSan, then under TSan'
	@echo 'make fuzz            every fuzzer for SECONDS=600 seconds'
	@echo 'make evidence-e      what docs/evidence/e.md says of real decoding, hours the first time'
	@echo 'make evidence-f      what docs/evidence/f.md says of memory beyond memory, two hours'
	@echo 'make evidence-i      what docs/evidence/i.md says of tuned convolutions, hours the first time'
	@echo 'make bench-aim       how fast AiM programs run, beside the public simulator'
	@echo 'make check-debian13  make check and make demo on a fresh Debian 13 in a chroot (root)'

demo: build
	scripts/demo

# The tests come last: their summary ends the output. They include the source checks.
check: build model fuzz-smoke
	$(ctest) --test-dir build/release

packages:
	@scripts/install-packages

# Cached. Without a network the tests that need it skip themselves and are counted.
model: packages
	@for try in $$(seq $(MODEL_TRIES)); do \
	  if [ $$try -gt 1 ]; then sleep 10; fi; \
	  scripts/fetch-model gemma3-270m && exit 0; \
	done; echo 'going on without the real model' >&2

build: packages
	cmake --preset release
	cmake --build --preset release

# A test compares it with what the compiler writes.
programs: build
	build/release/memside compile --model any --target pnm -o systems/programs/pnm-layer.yaml

fuzzers: packages
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzzers

fuzz: fuzzers
	scripts/fuzz $(SECONDS)

fuzz-smoke: fuzzers
	scripts/fuzz 10

lint: packages
	scripts/check-floors
	scripts/check-length
	scripts/check-reading-order
	scripts/check-format

# The source checks do not change with the compiler's flags. TSan holds a signal back while a thread
# blocks in open(), which is what the tests of interruption wait for.
sanitize: packages
	for preset in asan tsan; do \
	  cmake --preset $$preset && cmake --build --preset $$preset && \
	  $(ctest) --timeout 600 --test-dir build/$$preset --label-exclude lint \
	    $$(test $$preset = tsan && echo --exclude-regex 'Interruption|terminated') || exit 1; \
	done

# Beside what the project needs, a Python environment for the programs that it is compared with.
evidence-e: build model fuzzers
	@scripts/install-packages python3-venv
	scripts/evidence-e

evidence-f: build model fuzzers
	scripts/evidence-f

# The programs that it is compared with come from the package index, into build/evidence-i.
evidence-i: build
	@scripts/install-packages python3-venv
	scripts/evidence-i

bench-aim: build
	build/release/bench_aim_speed

check-debian13:
	scripts/check-debian13

format: packages
	scripts/check-format --fix
