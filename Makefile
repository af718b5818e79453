# Two commands do all the set-up by themselves: `make demo` and `make test`.
.DELETE_ON_ERROR:
PYTHON ?= python3
BIN := .venv/bin
RUN := build/stamps

.PHONY: demo test check bench docs format setup lock clean

demo: setup  ## The main job, with embedded defaults. ONCE=1 plays one delivery and ends.
	$(BIN)/doorward demo $(if $(ONCE),--once) $(DEMO)

# The tests start hundreds of processes: without this each of them would compile every module anew.
test: export PYTHONDONTWRITEBYTECODE =
test: setup  ## The whole suite. TESTS="tests/protocol -k cbor" runs a part of it.
ifdef TESTS
	$(BIN)/pytest $(TESTS)
else
	$(BIN)/pytest -n 2 --dist worksteal
	$(BIN)/pytest tests/browser
endif

check: setup  ## Formatting, lint, types and tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	npx --no-install pyright
	npx --no-install pyright -p protocol/pyrightconfig.json
	$(MAKE) test

bench: setup  ## What the parts cost, measured; not part of the tests.
	$(BIN)/doorward bench

docs: setup  ## The pages that are made from the code: docs/requirements.md.
	$(BIN)/python -m doorward_tools.requirements_page

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(RUN)/python $(RUN)/typings $(RUN)/node $(RUN)/system

$(RUN)/python: requirements.lock tests/judges.lock pyproject.toml
	@mkdir -p $(RUN)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tests/judges.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The device's type stubs replace the standard library's, so they stay out of .venv.
$(RUN)/typings: protocol/typings.lock | $(RUN)/python
	rm -rf build/typings
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --target build/typings \
		-r protocol/typings.lock
	@touch $@

$(RUN)/node: package.json package-lock.json
	@mkdir -p $(RUN)
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

$(RUN)/system: tools/system_packages.sh
	@mkdir -p $(RUN)
	sh tools/system_packages.sh
	@touch $@

lock:  ## Bring requirements.lock up to pyproject.toml; review the difference.
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile --universal --generate-hashes --extra dev --quiet --no-header \
		--output-file build/requirements.lock pyproject.toml
	{ echo '# Made by `make lock` from pyproject.toml: versions and hashes, no addresses.'; \
		cat build/requirements.lock; } > requirements.lock

clean:
	rm -rf build .venv node_modules
