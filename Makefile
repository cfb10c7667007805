# Weir: a Jupyter kernel in C in which a notebook cell is a workflow step. `make help` lists the targets.
#
# One non-recursive Makefile; everything it makes is under $(B). Every .c file below a folder belongs to that folder's
# program or library, but for those named as mains.

B       ?= build
CC      ?= gcc
PREFIX  ?= /usr/local

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
           -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wno-format-truncation -Wswitch-enum -fno-common
OPT     ?= -O2 -g
SAN     ?=
CFLAGS  := -std=c17 -D_GNU_SOURCE $(OPT) $(WARN) $(SAN) -fno-omit-frame-pointer -I. -MMD -MP
LDFLAGS := $(SAN)

# The libraries that each layer may use.
LIBS_FLOW    := -lsqlite3 -ljansson -lcrypto -luuid -ldl -lpthread -lm
LIBS_LANG    := -ltcc $(LIBS_FLOW)
LIBS_KERNEL  := -lzmq $(LIBS_FLOW)

src      = $(sort $(wildcard $(1)/*.c))
obj      = $(patsubst %.c,$(B)/%.o,$(1))

# An exported flow links RUNTIME alone; the command line and the session add LANG. The slim zygote takes ZYGOTE only.
RUNTIME_MAINS := runtime/flow/zygote_main.c
RUNTIME := $(filter-out $(RUNTIME_MAINS),$(foreach d,base type store metadata flow,$(call src,runtime/$(d)))) runtime/cli/flow_main.c
LANG    := $(foreach d,lang build export view,$(call src,runtime/$(d)))
CLI     := $(filter-out runtime/cli/flow_main.c,$(call src,runtime/cli))
MAGICS  := $(call src,magics)
# kernel/: session*.c is the session process, everything else the kernel process; session_protocol.c belongs to both.
SESSION := $(filter-out kernel/session_protocol.c,$(wildcard kernel/session*.c))
KERNEL  := $(filter-out $(SESSION),$(call src,kernel))

PROGRAMS := $(B)/weir $(B)/weir-kernel $(B)/weir-session $(B)/weir-zygote

all: $(PROGRAMS)

$(B)/libweir.a: $(call obj,$(RUNTIME))
$(B)/liblang.a: $(call obj,$(LANG))
$(B)/libweir.a $(B)/liblang.a:
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/weir: $(call obj,$(CLI)) $(B)/liblang.a $(B)/libweir.a
	$(CC) $(LDFLAGS) -rdynamic -o $@ $^ $(LIBS_LANG)
$(B)/weir-session: $(call obj,$(SESSION) kernel/session_protocol.c $(MAGICS)) $(B)/liblang.a $(B)/libweir.a
	$(CC) $(LDFLAGS) -rdynamic -o $@ $^ $(LIBS_LANG)
$(B)/weir-kernel: $(call obj,$(KERNEL) runtime/lang/lexer.c runtime/lang/items.c runtime/lang/ctype.c) $(B)/libweir.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_KERNEL)
$(B)/weir-zygote: $(B)/runtime/flow/zygote_main.o $(B)/libweir.a
	$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcrypto -ldl -lm

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

# ---- tests: tests/unit/NAME.c is one cmocka program; kernel_*.c also get the kernel's code, magics_*.c the magics' ----
UNIT_SRC := $(call src,tests/unit)
UNIT     := $(patsubst tests/unit/%.c,$(B)/tests/%,$(UNIT_SRC))
$(B)/tests/kernel_%: $(B)/tests/unit/kernel_%.o $(call obj,$(filter-out kernel/main.c,$(KERNEL))) $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka -lzmq $(LIBS_LANG)
$(B)/tests/magics_%: $(B)/tests/unit/magics_%.o $(call obj,$(MAGICS)) $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka $(LIBS_LANG)
$(B)/tests/session_%: $(B)/tests/unit/session_%.o $(call obj,$(filter-out kernel/session_main.c,$(SESSION)) kernel/session_protocol.c $(MAGICS)) $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka $(LIBS_LANG)
$(B)/tests/%: $(B)/tests/unit/%.o $(B)/liblang.a $(B)/libweir.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -rdynamic -o $@ $^ -lcmocka $(LIBS_LANG)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: all
