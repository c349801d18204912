# tallyd.  `make help` lists the targets; `make run` and `make test` install what they need on Debian 12.
.DEFAULT_GOAL = tallyd

OUT  = build
MODE = release
SAN  =
CC   = gcc
Q    = @

VERSION = 0.1.0
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wwrite-strings \
	-Wpointer-arith -Wcast-qual -Wformat=2 -Wundef -fno-common $(if $(findstring clang,$(CC)),-Wthread-safety)
OPT_release = -O2
OPT_debug   = -O1 -DTALLYD_DEBUG
CFLAGS   = -std=gnu17 -g $(OPT_$(MODE)) $(WARN) $(if $(WERROR),-Werror) $(SAN:%=-fsanitize=%) \
	$(if $(SAN),-fno-omit-frame-pointer -fno-sanitize-recover=all) -fstack-protector-strong
CPPFLAGS = -D_GNU_SOURCE -Iservice -I. -I$(OUT)/gen -MMD -MP $(DEFINES)

# libmicrohttpd zeroes the pool of a connection in each request, 48 KiB in all: two thirds of the instructions that a GET
# costs outside the kernel.  So it is linked from its archive, its memory pool calling api/pool_clear.c for that and not
# memset.  `make POOL=` links the library as it is packaged.
ARCHIVE := $(wildcard $(shell $(CC) -print-file-name=libmicrohttpd.a))
POOL     = $(OUT)/obj/library_pool.o
LIBRARY  = $(if $(POOL),$(POOL) -l:libmicrohttpd.a -lgnutls,-lmicrohttpd)
LDLIBS   = $(LIBRARY) -ljansson -lnettle -lz -pthread

SOURCES := $(sort $(filter-out service/main.c,$(wildcard service/*.c service/*/*.c api/*.c)))
OBJECTS  = $(SOURCES:%.c=$(OUT)/obj/%.o) $(OUT)/obj/contract.o
UNIT    := $(sort $(wildcard tests/unit/test_*.c))
HTTP    := $(sort $(wildcard tests/http/test_*.c))
SUPPORT := $(sort $(wildcard tests/support/*.c))
UNIT_SUPPORT := $(sort $(filter-out $(UNIT),$(wildcard tests/unit/*.c)))
LINEAR_SUPPORT := $(sort $(filter-out tests/linear/test_wgl.c tests/linear/linear.c,$(wildcard tests/linear/*.c)))
UNIT_BIN = $(UNIT:tests/unit/%.c=$(OUT)/unit/%)
HTTP_BIN = $(HTTP:tests/http/%.c=$(OUT)/http/%)
FAULT_SUPPORT := $(sort $(filter-out tests/fault/test_%.c tests/fault/full_disk.c,$(wildcard tests/fault/*.c)) $(UNIT_SUPPORT))

## tallyd        build the service: $(OUT)/tallyd
.PHONY: tallyd
tallyd: $(OUT)/tallyd

$(OUT)/tallyd: $(OUT)/obj/service/main.o $(OBJECTS) $(POOL) $(OUT)/link
	@echo "  ld   $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out $(POOL),$(filter %.o,$^)) $(LDLIBS)

$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	@echo "  cc   $<"
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

$(OUT)/obj/library_pool.o: $(OUT)/link
	@mkdir -p $(@D)
	@test -n "$(ARCHIVE)" || { echo "libmicrohttpd.a is not there: make deps, or make POOL=" >&2; exit 1; }
	$(Q)ar p $(ARCHIVE) libmicrohttpd_la-memorypool.o >$@.tmp
	$(Q)objcopy --redefine-sym memset=pool_clear $@.tmp $@.out
	$(Q)nm $@.out | grep -q 'U pool_clear' # or the renaming did nothing
	$(Q)mv $@.out $@
	$(Q)rm $@.tmp

# The contract is served as it stands in the tree, and as JSON.
$(OUT)/gen/openapi.json: openapi.yaml tests/support/yaml2json.py
	@mkdir -p $(@D)
	$(Q)/usr/bin/python3 tests/support/yaml2json.py $< $@

$(OUT)/obj/contract.o: api/contract.S openapi.yaml $(OUT)/gen/openapi.json $(OUT)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -I. -I$(OUT)/gen -c -o $@ $<

$(OUT)/commit: FORCE
	@mkdir -p $(OUT)
	@echo $(COMMIT) | cmp -s - $@ || echo $(COMMIT) >$@
$(OUT)/obj/api/handle_service.o: $(OUT)/commit
$(OUT)/obj/api/handle_service.o: CPPFLAGS += -DTALLYD_VERSION='"$(VERSION)"' -DTALLYD_COMMIT='"$(COMMIT)"'

# Rebuild all when the flags change, and link again when the libraries do; the files' times move only then.
FLAGS_NOW = $(CC) $(CFLAGS) $(CPPFLAGS)
LINK_NOW  = $(LDFLAGS) $(LDLIBS) $(shell cksum <$(or $(ARCHIVE),/dev/null))
$(OUT)/link: FORCE
	@mkdir -p $(OUT)
	@echo '$(LINK_NOW)' | cmp -s - $@ || echo '$(LINK_NOW)' >$@
$(OUT)/flags: FORCE
	@mkdir -p $(OUT)
	@echo '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || echo '$(subst ','\'',$(FLAGS_NOW))' >$@
.PHONY: FORCE

# Test support is kept between suites: make would remove it as a mere step on the way.
.SECONDARY:

$(OUT)/unit/%: tests/unit/%.c $(UNIT_SUPPORT:%.c=$(OUT)/obj/%.o) $(OBJECTS) $(POOL) $(OUT)/link
	@mkdir -p $(@D)
	@echo "  ld   $@"
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -Itests $(LDFLAGS) -o $@ $(filter %.c %.o,$(filter-out $(POOL),$^)) -lcheck -lsubunit -lm -lrt $(LDLIBS)

$(OUT)/http/%: tests/http/%.c $(SUPPORT:%.c=$(OUT)/obj/%.o)
	@mkdir -p $(@D)
	@echo "  ld   $@"
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -Itests $(LDFLAGS) -o $@ $(filter %.c %.o,$^) -lcheck -lsubunit -lm -lrt -lcurl -ljansson -pthread

$(OUT)/linear/%: tests/linear/%.c $(LINEAR_SUPPORT:%.c=$(OUT)/obj/%.o) $(SUPPORT:%.c=$(OUT)/obj/%.o)
	@mkdir -p $(@D)
	@echo "  ld   $@"
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -Itests $(LDFLAGS) -o $@ $(filter %.c %.o,$^) -lcheck -lsubunit -lm -lrt -lcurl -ljansson -pthread

# Time and every allocation of ours go through what tests/fault puts under them.
WRAPPED = clock_gettime pthread_cond_timedwait malloc calloc realloc strdup asprintf thread_start

$(OUT)/fault/test_%: tests/fault/test_%.c $(FAULT_SUPPORT:%.c=$(OUT)/obj/%.o) $(OBJECTS) $(POOL) $(OUT)/link
	@mkdir -p $(@D)
	@echo "  ld   $@"
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -Itests $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $(filter %.c %.o,$(filter-out $(POOL),$^)) \
		-lcheck -lsubunit -lm -lrt $(LDLIBS)

$(OUT)/fault/full_disk: tests/fault/full_disk.c $(SUPPORT:%.c=$(OUT)/obj/%.o)
	@mkdir -p $(@D)
	@echo "  ld   $@"
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -Itests $(LDFLAGS) -o $@ $(filter %.c %.o,$^) -lcheck -lsubunit -lm -lrt -lcurl -ljansson -pthread

$(OUT)/obj/tests/%.o: CPPFLAGS += -Itests

-include $(shell find $(OUT)/obj $(OUT)/unit $(OUT)/http $(OUT)/linear $(OUT)/fault -type f -name '*.d' 2>/dev/null)

# ---- for people ----

## run           install what is missing, build, serve ./data on 127.0.0.1:8080
.PHONY: run
run: deps tallyd
	$(OUT)/tallyd --root ./data --listen 127.0.0.1:8080

## deps          install the packages that building and testing need (Debian 12, as root)
.PHONY: deps
deps:
	@tests/support/install build

## test          install, build, run every suite that needs Debian packages only
.PHONY: test
test:
	@tests/support/install build test
	@$(MAKE) --no-print-directory check MODE=debug OUT=$(OUT)/debug

## check         build and run the unit and HTTP suites in the mode given (MODE, CC, SAN, OUT)
.PHONY: check
check: $(OUT)/tallyd $(UNIT_BIN) $(HTTP_BIN)
	@TALLYD=$(abspath $(OUT)/tallyd) tests/support/suites $(UNIT_BIN) $(HTTP_BIN)
	@tests/openapi/conform $(OUT)/tallyd

## sanitize      the same under ASan+UBSan and under TSan, without suppressions
.PHONY: sanitize
sanitize:
	@tests/support/install build test
	@$(MAKE) --no-print-directory check MODE=debug SAN=address,undefined OUT=$(OUT)/asan
	@$(MAKE) --no-print-directory check MODE=debug SAN=thread OUT=$(OUT)/tsan

## linear        kill -9 under load: are all histories linearizable? and the committer's protocol as a model (spin)
.PHONY: linear
linear:
	@tests/support/install build test proof
	@$(MAKE) --no-print-directory linear-run MODE=debug OUT=$(OUT)/debug

.PHONY: linear-run
linear-run: $(OUT)/tallyd $(OUT)/linear/test_wgl $(OUT)/linear/linear
	@TALLYD=$(abspath $(OUT)/tallyd) OUT=$(OUT) tests/linear/run

## soak          everything the API has, at once, for SECONDS (60), against a server built with ThreadSanitizer
SECONDS = 60
.PHONY: soak
soak:
	@tests/support/install build test
	@$(MAKE) --no-print-directory tallyd MODE=debug SAN=thread OUT=$(OUT)/tsan
	@$(MAKE) --no-print-directory $(OUT)/debug/linear/linear MODE=debug OUT=$(OUT)/debug
	@TALLYD=$(abspath $(OUT)/tsan/tallyd) OUT=$(OUT)/debug tests/linear/run soak $(SECONDS)

## fuzz          run each fuzz target for SECONDS_EACH (10) seconds
.PHONY: fuzz
fuzz:
	@tests/support/install build fuzz
	@OUT=$(OUT) tests/fuzz/run

## explore       the states a power cut could leave, recovered and checked: what was acknowledged is there
.PHONY: explore
explore:
	@tests/support/install build test
	@$(MAKE) --no-print-directory tallyd
	@TALLYD=$(OUT)/tallyd tests/crash/run commit

## crash         explore, linear, power-cut, mutants: what a crash leaves, and that the tests would see it (minutes)
.PHONY: crash
crash:
	@for part in explore linear power-cut mutants; do $(MAKE) --no-print-directory $$part || exit 1; done

## crash-deep    the same for hours: a million states and more, 20 power cuts each, other seeds
.PHONY: crash-deep
crash-deep:
	@tests/support/install build test proof
	@$(MAKE) --no-print-directory tallyd
	@TALLYD=$(OUT)/tallyd tests/crash/run deep
	@$(MAKE) --no-print-directory linear LINEAR='--seed 2 --operations 1000000 --kills 100'
	@$(MAKE) --no-print-directory power-cut-deep
	@tests/crash/mutants --base $(OUT)/debug run --seed 2

## fault         let every file call and allocation fail, damage roots, fill disks (root for the last)
.PHONY: fault
fault:
	@tests/support/install build test
	@OUT=$(OUT) tests/fault/run

## lint          layers, concerns, budgets, banned calls; both compilers without a warning
.PHONY: lint
lint:
	@tests/support/install build fuzz lint
	@tests/lint/run
	@$(MAKE) --no-print-directory tallyd WERROR=1 OUT=$(OUT)/lint-gcc
	@$(MAKE) --no-print-directory tallyd WERROR=1 OUT=$(OUT)/lint-clang CC=clang

## lint-openapi  redocly and spectral over openapi.yaml (npm)
.PHONY: lint-openapi
lint-openapi:
	@tests/openapi/lint

## test-docker   build the image and run it for real, without a registry (root)
.PHONY: test-docker
test-docker:
	@tests/docker/run

## mutants       seeded bugs: the tests have to find every one of them, and to pass without
.PHONY: mutants
mutants:
	@tests/support/install build test
	@tests/crash/mutants --base $(OUT)/debug run

## mutant        build the service with seeded bug MUTANT=n: $(OUT)/mutant/n/tallyd
.PHONY: mutant
mutant:
	@tests/crash/mutants --base $(OUT)/debug build $(MUTANT)

## power-cut     shut down a file system under the working service, CUTS=5 times each for ext4 and XFS (root)
CUTS = 5
.PHONY: power-cut
power-cut: power-cut-ready
	@tests/crash/power_cut --tallyd $(OUT)/debug/tallyd --cuts $(CUTS)

## power-cut-deep  20 of them, and see that they find a service that answers too early
.PHONY: power-cut-deep
power-cut-deep: power-cut-ready
	@tests/crash/power_cut --tallyd $(OUT)/debug/tallyd --cuts 20
	@$(MAKE) --no-print-directory mutant MUTANT=1
	@tests/crash/power_cut --tallyd $(OUT)/mutant/1/tallyd --cuts 8 --expect-loss

# What cannot be installed is told by the test itself, which then skips what needs it.
.PHONY: power-cut-ready
power-cut-ready:
	@tests/support/install build
	@tests/support/install proof || true
	@$(MAKE) --no-print-directory tallyd MODE=debug OUT=$(OUT)/debug

## bench         measure against nginx, a bare responder and naive servers, side by side
.PHONY: bench
bench: tallyd
	@tests/support/install bench
	@TALLYD=$(OUT)/tallyd OUT=$(OUT) tests/bench/run

## install       copy the program to $(DESTDIR)/usr/local/bin
.PHONY: install
install: tallyd
	install -D -m 0755 $(OUT)/tallyd $(DESTDIR)/usr/local/bin/tallyd

## clean         remove what was built; ./data stays
.PHONY: clean
clean:
	rm -rf $(OUT)

## help          this list
.PHONY: help
help:
	@sed -n 's/^## //p' Makefile | sed 's,$$(OUT),$(OUT),; s,$$(DESTDIR),,'
	@echo
	@echo 'MODE=release|debug  CC=gcc|clang  SAN=address,undefined|thread  OUT=build  choose how and where'
