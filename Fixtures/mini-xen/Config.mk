# Settings that a tree of this layout keeps above xen/.
XEN_COMPILE_ARCH ?= $(shell uname -m)
XEN_TARGET_ARCH  ?= $(XEN_COMPILE_ARCH)

CC      ?= gcc
ifeq ($(origin CC),default)
CC      := $(CROSS_COMPILE)gcc
endif
LD      := $(CROSS_COMPILE)ld
OBJCOPY := $(CROSS_COMPILE)objcopy
NM      := $(CROSS_COMPILE)nm
