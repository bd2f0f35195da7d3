XEN_CFLAGS += -m64 -msoft-float -mno-red-zone -fpic -mno-mmx -mno-sse -mskip-rax-setup
ifeq ($(CONFIG_INDIRECT_THUNK),y)
XEN_CFLAGS += -mindirect-branch=thunk-extern -mindirect-branch-register -mfunction-return=thunk-extern
endif
ifeq ($(CONFIG_XEN_IBT),y)
XEN_CFLAGS += -fcf-protection=branch -mmanual-endbr
endif

# One file keeps its jump tables; all others are built without, as the hypervisor is.
NO_JUMP_TABLES := -fno-jump-tables
common/decode.o common/decode.i common/decode.s: NO_JUMP_TABLES :=

XEN_LDFLAGS += -melf_x86_64
FOLDERS += $(ARCH)/boot common/compat
COMPAT_HEADERS += include/compat/version.h
