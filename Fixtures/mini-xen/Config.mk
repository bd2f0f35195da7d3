# Settings that a tree of this layout keeps above xen/.
XEN_COMPILE_ARCH ?= $(shell uname -m | sed -e 's/aarch64/arm64/' -e 's/armv.*/arm32/')
XEN_TARGET_ARCH  ?= $(XEN_COMPILE_ARCH)
# The folder below xen/arch.
TARGET_ARCH      := $(patsubst arm%,arm,$(patsubst x86%,x86,$(XEN_TARGET_ARCH)))

ifneq ($(filter default undefined,$(origin CC)),)
CC      := $(CROSS_COMPILE)gcc
endif
LD      := $(CROSS_COMPILE)ld
OBJCOPY := $(CROSS_COMPILE)objcopy
NM      := $(CROSS_COMPILE)nm
