# Weir: a Jupyter kernel in C in which a notebook cell is a workflow step. `make help` lists the targets.
#
# One non-recursive Makefile; everything it makes is under $(B). Every .c file below a folder belongs to that folder's
# program or library, but for those named as mains.

B       ?= build
# However the folder is named: a dependency file names its object as make did.
override B := $(patsubst $(CURDIR)/%,%,$(abspath $(B)))
CC      ?= gcc
PREFIX  ?= /usr/local

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
           -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wno-format-truncation -Wswitch-enum -fno-common
OPT     ?= -O2 -g
SAN     ?=
CFLAGS  := -std=c17 -D_GNU_SOURCE $(OPT) $(WARN) $(SAN) -fno-omit-frame-pointer -I. -MMD -MP
LDFLAGS := $(SAN)

# What runs is shown short; make V=1 shows it whole.
Q    := $(if $(V),,@)
SHOW  = $(if $(V),,@echo "  $(1)")

# The libraries that each layer may use.
LIBS_FLOW    := -lsqlite3 -ljansson -lcrypto -luuid -ldl -lpthread -lm
# libtcc is Debian's, but for the memory that it works in (runtime/build/tcc_memory.h): a copy of it is under $(B).
TCC_LIB      := $(wildcard $(shell $(CC) -print-file-name=libtcc.a))
LIBS_LANG    := -L$(B) -ltcc $(LIBS_FLOW)
LIBS_KERNEL  := -lzmq $(LIBS_FLOW)

src      = $(sort $(wildcard $(1)/*.c))
obj      = $(patsubst %.c,$(B)/%.o,$(1))

# An exported flow links RUNTIME alone; the command line and the session add FLOWLANG. The slim zygote takes ZYGOTE only.
RUNTIME_MAINS := runtime/flow/zygote_main.c
RUNTIME := $(filter-out $(RUNTIME_MAINS),$(foreach d,base type store metadata flow,$(call src,runtime/$(d)))) runtime/cli/flow_main.c
# (Not LANG: make hands variables of the environment on to what it starts.)
FLOWLANG := $(foreach d,lang build export view,$(call src,runtime/$(d)))
CLI     := $(filter-out runtime/cli/flow_main.c,$(call src,runtime/cli))
MAGICS  := $(call src,magics)
# kernel/: session*.c is the session process, everything else the kernel process; KERNEL_BOTH belongs to both.
KERNEL_BOTH := kernel/session_protocol.c kernel/settings.c kernel/ending.c
SESSION := $(filter-out $(KERNEL_BOTH),$(wildcard kernel/session*.c))
KERNEL  := $(filter-out $(SESSION),$(call src,kernel))

# What a compiled flow calls: linked whole into the programs that load one.
CALLED  := $(wildcard runtime/flow/task*.c)

PROGRAMS := $(B)/weir $(B)/weir-kernel $(B)/weir-session $(B)/weir-zygote

all: $(PROGRAMS) ## build/weir (the command line), build/weir-kernel and their helpers: needs only gcc and -dev packages

$(B)/libweir.a: $(call obj,$(RUNTIME))
$(B)/liblang.a: $(call obj,$(FLOWLANG))
$(B)/libweir.a $(B)/liblang.a:
	@rm -f $@
	$(AR) rcs $@ $^

TCC_NAMES := --redefine-sym hash_ident=tcc_memory_names --globalize-symbol=tcc_memory_names
$(B)/libtcc.a: $(TCC_LIB) $(B)/runtime/build/tcc_memory.o
	@mkdir -p $(@D)
	$(call SHOW,copy $@)
	$(Q)objcopy $$(nm -S $< | grep -q ' 0*20000 b hash_ident$$' && echo "$(TCC_NAMES)") \
	    $(foreach f,malloc calloc realloc free,--redefine-sym $(f)=tcc_memory_$(f)) $< $@
	$(Q)$(AR) rs $@ $(B)/runtime/build/tcc_memory.o
$(B)/liblang.a: | $(if $(TCC_LIB),$(B)/libtcc.a)

$(B)/weir: $(call obj,$(CLI) $(CALLED)) $(B)/liblang.a $(B)/libweir.a
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ $(LIBS_LANG)
# All symbols at once: a copy that is forked would look up and write down the same ones again.
$(B)/weir-session: $(call obj,$(SESSION) $(KERNEL_BOTH) $(MAGICS)) $(B)/liblang.a $(B)/libweir.a
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -Wl,-z,now -rdynamic -o $@ $^ $(LIBS_LANG)
$(B)/weir-kernel: $(call obj,$(KERNEL) runtime/lang/lexer.c runtime/lang/items.c runtime/lang/ctype.c runtime/lang/ctype_begins.c runtime/view/setting.c runtime/view/options.c) $(B)/libweir.a
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_KERNEL)
$(B)/weir-zygote: $(call obj,runtime/flow/zygote_main.c $(CALLED)) $(B)/libweir.a
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcrypto -ldl -lm

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call SHOW,cc $<)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<
$(B)/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(call SHOW,cc $<)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

# ---- tests: tests/unit/NAME.c is one cmocka program; kernel_*.c also get the kernel's code, magics_*.c the magics' ----
UNIT_SRC := $(call src,tests/unit)
UNIT     := $(patsubst tests/unit/%.c,$(B)/tests/%,$(UNIT_SRC))
UNIT_OBJ := $(patsubst tests/unit/%.c,$(B)/unit/%.o,$(UNIT_SRC))
.SECONDARY: $(UNIT_OBJ)
$(B)/tests/kernel_%: $(B)/unit/kernel_%.o $(call obj,$(filter-out kernel/main.c,$(KERNEL))) $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka -lzmq $(LIBS_LANG)
$(B)/tests/magics_%: $(B)/unit/magics_%.o $(call obj,$(MAGICS)) $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka $(LIBS_LANG)
$(B)/tests/session_%: $(B)/unit/session_%.o $(call obj,$(filter-out kernel/session_main.c,$(SESSION)) $(KERNEL_BOTH) $(MAGICS)) $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka $(LIBS_LANG)
$(B)/tests/%: $(B)/unit/%.o $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(call SHOW,link $@)
	$(Q)$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka $(LIBS_LANG)

-include $(wildcard $(patsubst %.o,%.d,$(call obj,$(RUNTIME) $(RUNTIME_MAINS) $(FLOWLANG) $(CLI) $(MAGICS) $(SESSION) $(KERNEL) \
    $(KERNEL_BOTH)) $(UNIT_OBJ)))

# ---- Jupyter: a Python environment under build/, whatever B is, and the kernelspec in it ----
VENV     := build/venv
SPEC     := $(VENV)/share/jupyter/kernels/weir
JOBS     ?= $(shell nproc)
# $(call kernelspec,FOLDER,PROGRAM): write a kernelspec that starts PROGRAM.
kernelspec = mkdir -p $(1) && sed 's|@KERNEL@|$(2)|' kernel/kernelspec/kernel.json.in >$(1)/kernel.json && \
             cp kernel/kernelspec/logo-64x64.png kernel/kernelspec/logo-svg.svg $(1)/

kernelspec: venv
	@$(call kernelspec,$(SPEC),$(abspath $(B))/weir-kernel)

venv:
	@tests/setup.sh packages jupyter
	@tests/setup.sh venv $(VENV) tests/requirements.txt

# What demo, lab, check and notebooks need first. Packages come before anything is compiled, so the rest is a make of its own.
ready:
	@tests/setup.sh packages build jupyter
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(MAKE) --no-print-directory kernelspec

demo: ready ## install what is missing, run both example notebooks through Jupyter, show what the runs left
	@$(VENV)/bin/python notebooks/demo.py

lab: ready ## open JupyterLab on the example notebooks
	cd notebooks && ../$(VENV)/bin/jupyter lab --ServerApp.root_dir=. $(LAB_FLAGS)

notebooks: ready ## execute the example notebooks and keep their outputs in them
	@$(VENV)/bin/python notebooks/demo.py --save

check: ## install what is missing, then every test: layers, style, unit, protocol, cells, flows, notebooks, browser
	@tests/setup.sh packages build jupyter check
	@$(MAKE) --no-print-directory ready
	@$(MAKE) --no-print-directory -j$(JOBS) unit-programs
	@tests/check.sh $(B) $(VENV) $(PYTEST)

unit-programs: $(UNIT)

unit: $(UNIT) ## the cmocka programs alone
	@mkdir -p $(B)/reports
	@tests/unit.sh $(B)/reports/unit $(UNIT)

test: ready ## one test: T=lexer (a cmocka program), T=tests/flows (a folder or file), T=words (pytest -k)
	@test -n "$(T)" || { echo "usage: make test T=lexer | T=tests/flows/test_x.py | T=words"; exit 2; }
	@if [ -e tests/unit/$(T).c ]; then $(MAKE) --no-print-directory $(B)/tests/$(T) && $(B)/tests/$(T); \
	else case "$(T)" in tests/*) set -- "$(T)" ;; *) set -- tests -k "$(T)" ;; esac; \
	    WEIR_BUILD=$(abspath $(B)) $(VENV)/bin/python -m pytest -o cache_dir=$(B)/reports/cache "$$@"; fi

soak: ready ## tests/soak in full (30 minutes): random cells against a model, 1,000 crashes, 100,000 cells without a leak
	@WEIR_SOAK=1 WEIR_BUILD=$(abspath $(B)) $(VENV)/bin/python -m pytest -o cache_dir=$(B)/reports/cache -q $(or $(PYTEST),tests/soak)

# ---- the same code under other eyes; each in a build folder of its own ----
SAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
# (In the flows of the tests null pointers and divisions by zero are how a step crashes: left to the kernel.)
asan: ## the tests (without the browser) with AddressSanitizer and UBSan: host, runtime and, compiled by cc, the flows' code
	@tests/setup.sh packages build jupyter check
	@$(MAKE) --no-print-directory ready
	@$(MAKE) --no-print-directory -j$(JOBS) B=build/asan OPT="-O1 -g" SAN="$(SAN_FLAGS)" all unit-programs
	@ASAN_OPTIONS=detect_leaks=0:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 WEIR_TIER=cc WEIR_CFLAGS="$(SAN_FLAGS) -fno-sanitize=null,integer-divide-by-zero" \
	    tests/check.sh build/asan $(VENV) $(or $(PYTEST),tests/unit tests/protocol tests/cells tests/flows)

# The kernel process alone; its session is the ordinary one, since a sanitizer's shadow memory would be in each of its copies.
# libzmq is not instrumented: tests/tsan.supp.
TSAN_OPTIONS := suppressions=$(CURDIR)/tests/tsan.supp:halt_on_error=1:exitcode=66
tsan: ## the cmocka programs, and the kernel process under the protocol's tests, with ThreadSanitizer
	@tests/setup.sh packages build jupyter check
	@$(MAKE) --no-print-directory ready
	@$(MAKE) --no-print-directory -j$(JOBS) B=build/tsan OPT="-O1 -g" SAN="-fsanitize=thread" build/tsan/weir-kernel unit-programs
	@cp build/weir build/weir-session build/weir-zygote build/tsan/
	@TSAN_OPTIONS="$(TSAN_OPTIONS)" tests/check.sh build/tsan $(VENV) $(or $(PYTEST),tests/protocol)

valgrind: ## the cmocka programs under memcheck, leaks included
	@tests/setup.sh packages build check valgrind
	@$(MAKE) --no-print-directory -j$(JOBS) unit-programs
	@UNIT_TIMEOUT=1200 UNIT_UNDER="valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9" \
	    tests/unit.sh build/reports/valgrind $(UNIT)

cov: ## which lines the cmocka programs and the Python tests reach: build/cov/index.html
	@tests/setup.sh packages build jupyter check
	@$(MAKE) --no-print-directory ready
	@$(MAKE) --no-print-directory -j$(JOBS) B=build/cov OPT="-O0 -g" SAN="--coverage -fprofile-update=atomic" all unit-programs
	@find build/cov -name '*.gcda' -delete
	-@tests/check.sh build/cov $(VENV) tests/unit tests/protocol tests/cells tests/flows
	@$(VENV)/bin/gcovr --root . --object-directory build/cov --filter 'kernel/' --filter 'magics/' --filter 'runtime/' \
	    --html-details build/cov/index.html --print-summary --gcov-ignore-errors=all build/cov

FUZZ      := $(patsubst tests/fuzz/%.c,%,$(call src,tests/fuzz))
FUZZ_TIME ?= 30
# It begins from tests/fuzz/seeds/NAME, with the words of NAME.dict; what it finds on the way is kept in build/fuzz/corpus.
fuzz: ## libFuzzer on what reads foreign bytes; FUZZ_TIME seconds each (30), FUZZ=name for one
	@tests/setup.sh packages build fuzz
	@for name in $(FUZZ); do \
	    $(MAKE) --no-print-directory build/fuzz/$$name && mkdir -p build/fuzz/corpus/$$name || exit 1; \
	    echo "fuzz: $$name, $(FUZZ_TIME) s"; \
	    build/fuzz/$$name -max_total_time=$(FUZZ_TIME) -max_len=65536 -timeout=10 \
	        $$(ls tests/fuzz/$$name.dict 2>/dev/null | sed 's/^/-dict=/') -artifact_prefix=build/fuzz/$$name- \
	        build/fuzz/corpus/$$name $$(ls -d tests/fuzz/seeds/$$name 2>/dev/null) >build/fuzz/$$name.log 2>&1 || \
	        { tail -60 build/fuzz/$$name.log; exit 1; }; done
FUZZED := $(filter-out runtime/cli/flow_main.c,$(RUNTIME)) $(FLOWLANG) kernel/wire.c kernel/replay.c kernel/json_text.c
build/fuzz/%: tests/fuzz/%.c $(FUZZED) | $(if $(TCC_LIB),$(B)/libtcc.a)
	@mkdir -p $(@D)
	@echo "fuzz: building $*"
	@clang -std=gnu17 -D_GNU_SOURCE -O1 -g -I. -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $@ \
	    $< $(FUZZED) $(LIBS_LANG)

bench: ready ## speed beside a limit or peers (ipykernel, xeus-python, the C kernel with gcc, Metaflow), as a table
	@tests/setup.sh packages bench
	@tests/setup.sh venv build/venv-bench tests/bench/requirements.txt
	@build/venv-bench/bin/python tests/bench/bench.py $(BENCH)

layers: ## includes go kernel -> magics -> runtime, never back
	@tests/layers.sh

style: ## banned functions, files that grew too long, unfinished work
	@tests/style.sh

format: ## clang-format over every C file
	@tests/setup.sh packages format
	clang-format -i $$(find kernel magics runtime tests -name '*.[ch]')

# ---- installing: under PREFIX, or (USER=1) a kernelspec in your home that starts this build where it is ----
D         := $(DESTDIR)$(PREFIX)
HOME_SPEC := $(or $(JUPYTER_DATA_DIR),$(or $(XDG_DATA_HOME),$(HOME)/.local/share)/jupyter)/kernels/weir

install: $(if $(filter 1,$(USER)),install-user,install-prefix) ## under PREFIX (/usr/local); USER=1: only a kernelspec in your home, for this build

install-prefix: all
	install -d $(D)/bin $(D)/libexec/weir $(D)/include/weir $(D)/lib/weir $(D)/lib/pkgconfig
	install $(B)/weir $(D)/bin/weir
	install $(B)/weir-kernel $(B)/weir-session $(B)/weir-zygote $(D)/libexec/weir/
	install -m 644 runtime/include/weir.h $(D)/include/weir/weir.h
	install -m 644 $(B)/libweir.a $(D)/lib/weir/libweir.a
	sed 's|@PREFIX@|$(PREFIX)|' runtime/weir.pc.in >$(D)/lib/pkgconfig/weir.pc
	$(call kernelspec,$(D)/share/jupyter/kernels/weir,$(PREFIX)/libexec/weir/weir-kernel)

install-user: all
	$(call kernelspec,$(HOME_SPEC),$(abspath $(B))/weir-kernel)

uninstall: ## take out what install put there (USER=1: in your home)
ifeq ($(USER),1)
	rm -rf $(HOME_SPEC)
else
	rm -rf $(D)/libexec/weir $(D)/include/weir $(D)/lib/weir $(D)/share/jupyter/kernels/weir
	rm -f $(D)/bin/weir $(D)/lib/pkgconfig/weir.pc
endif

clean: ## remove what was built; the Python environments stay (rm -rf build takes them too)
	@[ ! -d $(B) ] || find $(B) -mindepth 1 -maxdepth 1 ! -name 'venv*' -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: all venv kernelspec ready demo lab notebooks check unit-programs unit test soak asan tsan valgrind cov fuzz bench layers style \
        format install install-prefix install-user uninstall clean help
