ifeq ($(CONFIG_ARM_64),y)
XEN_CFLAGS += -mcpu=generic -mgeneral-regs-only -mno-outline-atomics
FOLDERS += $(ARCH)/arm64
else
XEN_CFLAGS += -msoft-float -mcpu=cortex-a15 -marm
FOLDERS += $(ARCH)/arm32
endif

XEN_LDFLAGS += -EL
ifeq ($(CONFIG_ARM64_ERRATUM_843419),y)
XEN_LDFLAGS += --fix-cortex-a53-843419
endif
