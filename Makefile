# Everything is made from a clean checkout with Python 3.11+, its venv module and make. `make help` lists the habits.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Whoever forbids it lets each of a thousand processes compile the same files again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo range test collected lint types bench crash soak soak-bugs quarter docs lock image-check system-packages clean
help:
	@echo "make demo    respond to a real scanner's report on a practice range, from scratch"
	@echo "make range   the same practice range, up until Ctrl-C, to try commands on"
	@echo "make test    set up what the tests need, and run them all"
	@echo "make lint    ruff and the import rules        make types   mypy, strict"
	@echo "make bench   print the ratios, write build/bench.json"
	@echo "make crash   kill workers at every moment of every playbook, lose every answer of real servers (SEED)"
	@echo "make soak    1,000 random incidents under random faults (SEED, INCIDENTS); make soak-bugs: that it can fail"
	@echo "make quarter 90 simulated days of hygiene, incidents and drills; its report recomputed (SEED, CREDENTIALS)"
	@echo "make docs    write what is generated: the playbooks' schema, and the demo's recording"
	@echo "make image-check   carry out the Dockerfile in a clean root, where no container engine is (root; debootstrap)"
	@echo "make lock    pin every dependency again, with hashes (maintainers; needs uv)"

demo: .venv/demo.done build/ministack/done
	$(BIN)/python -m rotator.practice.demo

range: .venv/demo.done build/ministack/done
	$(BIN)/python -m rotator.practice.stay

# More processes than cores: some wait for a lease, a settle time or a server while others compute (tests/conftest.py).
test: .venv/dev.done build/ministack/done system-packages
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

# Compiles the tests once, with their assertions, beside what else needs one core: else each process does it for itself.
collected: .venv/dev.done
	@mkdir -p build && { $(BIN)/pytest --collect-only -qq > build/collected.txt || { cat build/collected.txt; exit 1; }; }

lint: .venv/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/dev.done
	$(BIN)/mypy

bench: .venv/dev.done build/ministack/done build/ansible/done system-packages
	$(BIN)/python -m benchmarks

# SEED and INCIDENTS come from the environment; --planted shows that it can fail.
soak: .venv/dev.done
	$(BIN)/python -m tests.soak

soak-bugs: .venv/dev.done
	$(BIN)/python -m tests.soak --planted

# SEED, CREDENTIALS and DATABASE_URL (an empty PostgreSQL instead of a file) come from the environment.
quarter: .venv/dev.done
	$(BIN)/python -m tests.quarter

crash: .venv/dev.done build/ministack/done
	$(BIN)/python -m tests.crash --shares $$(nproc)
	$(BIN)/python -m tests.crash.vendors
	CRASH=all $(BIN)/pytest tests/crash/test_lost_replies.py tests/crash/test_real_kills.py \
		tests/ledger/test_hands_undo.py tests/ledger/test_preempting.py

docs: .venv/dev.done build/ministack/done
	$(BIN)/rotator playbook schema > docs/playbook.schema.json
	$(BIN)/python docs/record_demo.py

# The demo and the tests share one environment; the demo needs only a part of it.
.venv/demo.done: lock/demo.txt pyproject.toml
	test -e .venv/dev.done || { $(PYTHON) -m venv .venv && \
		$(BIN)/pip install --quiet --require-hashes -r lock/demo.txt && \
		$(BIN)/pip install --quiet --no-deps --no-build-isolation -e . ; }
	touch $@

# Of 24,000 files a third is ever imported: who imports one first compiles it.
.venv/dev.done: lock/dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --require-hashes -r lock/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# ministack pins another botocore than the product: an environment of its own.
build/ministack/done: lock/ministack.txt
	$(PYTHON) -m venv build/ministack
	build/ministack/bin/pip install --quiet --require-hashes -r lock/ministack.txt
	touch $@

# What the benchmarks compare with, and nothing else needs.
build/ansible/done: lock/ansible.txt
	$(PYTHON) -m venv build/ansible
	build/ansible/bin/pip install --quiet --require-hashes -r lock/ansible.txt
	touch $@

# What the tests need and no Python package brings: a real sshd, and libfaketime, by which a test sets the clock of a
# process, a browser, and Pango, by which WeasyPrint sets a PDF's lines. RUNLEVEL=1 keeps apt from starting the sshd.
SYSTEM_PACKAGES := openssh-server faketime mariadb-server rabbitmq-server slapd rsyslog chromium libpangoft2-1.0-0 libharfbuzz-subset0
system-packages:
	@{ command -v sshd || test -x /usr/sbin/sshd; } >/dev/null && command -v faketime >/dev/null && \
		ls /usr/sbin/mariadbd /usr/sbin/rabbitmq-server /usr/sbin/slapd /usr/sbin/rsyslogd /usr/bin/chromium >/dev/null 2>&1 && \
		ldconfig -p | grep -q libpangoft2 && ldconfig -p | grep -q libharfbuzz-subset || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null || \
			{ echo "make test needs $(SYSTEM_PACKAGES): install them (as root) and run again"; exit 2; }; \
		apt-get -qq update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
			apt-get -qq install -y --no-install-recommends $(SYSTEM_PACKAGES) >/dev/null; }

# No index address and no download address may stand in a lock.
UV := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
lock:
	$(UV) --all-extras --group range --group dev pyproject.toml -o lock/dev.txt
	printf 'hatchling\neditables\n' > build/backend.in
	$(UV) --all-extras --group range pyproject.toml build/backend.in -c lock/dev.txt -o lock/demo.txt
	$(UV) --all-extras pyproject.toml -c lock/dev.txt -o lock/runtime.txt
	printf 'ministack\n' > build/ministack.in
	$(UV) build/ministack.in -o lock/ministack.txt
	printf 'ansible-core\n' > build/ansible.in
	$(UV) build/ansible.in -o lock/ansible.txt

# PIP_CONF, where packages come from a mirror, as for the image itself.
image-check:
	@test "$$(id -u)" = 0 && command -v debootstrap >/dev/null || \
		{ echo "make image-check needs root and debootstrap: install it and run again"; exit 2; }
	$(PYTHON) deploy/image_check.py

clean:
	rm -rf .venv build
