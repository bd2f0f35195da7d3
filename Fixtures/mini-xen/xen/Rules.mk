# How each kind of file is made. Every command runs in xen/, with paths relative to it.

ARCH := arch/$(TARGET_ARCH)

XEN_CFLAGS := -DBUILD_ID -fno-strict-aliasing -std=gnu99 -Wall -Wstrict-prototypes
XEN_CFLAGS += -O2 -fomit-frame-pointer -nostdinc -fno-builtin -fno-common -Werror -Wredundant-decls
XEN_CFLAGS += -Wdeclaration-after-statement -pipe -D__XEN__ -include ./include/xen/config.h
ifeq ($(CONFIG_CC_SPLIT_SECTIONS),y)
XEN_CFLAGS += -ffunction-sections -fdata-sections
endif
ifeq ($(CONFIG_DEBUG_INFO),y)
XEN_CFLAGS += -g
endif
XEN_CFLAGS += -I./include -I./$(ARCH)/include
XEN_CFLAGS += -fno-pie -fno-stack-protector -fno-exceptions -fno-asynchronous-unwind-tables
XEN_LDFLAGS := -z noexecstack
FOLDERS := common common/mm drivers/char $(ARCH)
COMPAT_HEADERS :=

# What else the processor wants: flags, folders.
include $(ARCH)/arch.mk
XEN_CFLAGS += $(EXTRA_CFLAGS_XEN_CORE)

depfile = $(dir $@).$(notdir $@).d
tmpfile = $(dir $@).$(notdir $@).tmp
c_flags = -MMD -MP -MF $(depfile) $(XEN_CFLAGS) $(NO_JUMP_TABLES) '-D__OBJECT_LABEL__=$@'
a_flags = -MMD -MP -MF $(depfile) -D__ASSEMBLY__ $(filter-out -std=gnu99,$(XEN_CFLAGS))

# The objects of each folder, named in that folder's own Makefile.
ALL_OBJECTS :=
define folder
obj-y :=
include $(1)/Makefile
$(1)/built_in.o: $$(addprefix $(1)/,$$(obj-y))
ALL_OBJECTS += $$(addprefix $(1)/,$$(obj-y))
endef
$(foreach f,$(FOLDERS),$(eval $(call folder,$(f))))
ALL_OBJS := $(addsuffix /built_in.o,$(FOLDERS))

GENERATED := include/xen/compile.h $(ARCH)/include/asm/asm-offsets.h $(COMPAT_HEADERS)

# A local symbol of xen-syms is known by its file, so the file's whole path goes into the symbol table.
define compile
	@$(quiet) '  CC      $@'
	$(Q)$(CC) $(c_flags) $(2) -c $(1) -o $(tmpfile) -MQ $@
	$(Q)$(OBJCOPY) --redefine-sym $(notdir $(1))=$(3) $(tmpfile) $@ && rm -f $(tmpfile)
endef

# A change of the flags makes an object again.
.flags.cmd: FORCE
	@echo '$(CC) $(XEN_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(XEN_CFLAGS)' > $@

%.o: %.c .flags.cmd | $(GENERATED)
	$(call compile,$<,,$<)

common/compat/%.o: common/compat/%.c .flags.cmd | $(GENERATED)
	$(call compile,$<,,$<)

common/mm/guest_walk_%.o: common/mm/guest_walk.c .flags.cmd | $(GENERATED)
	$(call compile,$<,-DGUEST_PAGING_LEVELS=$*,common/mm/guest_walk_$*.c)

%.o: %.S .flags.cmd | $(GENERATED)
	@$(quiet) '  CC      $@'
	$(Q)$(CC) $(a_flags) -c $< -o $@

%.i: %.c | $(GENERATED)
	$(Q)$(CC) -E $(c_flags) $< -o $@

%.s: %.c | $(GENERATED)
	$(Q)$(CC) $(c_flags) -S $< -o $@

$(ALL_OBJS):
	@$(quiet) '  LD      $@'
	$(Q)$(LD) $(XEN_LDFLAGS) -r -o $@ $^

prelink.o: $(ALL_OBJS) | $(GENERATED)
	@$(quiet) '  LD      $@'
	$(Q)$(LD) $(XEN_LDFLAGS) -r -o $@ $^

xen-syms: prelink.o $(ARCH)/xen.lds
	@$(quiet) '  LD      $@'
	$(Q)$(LD) $(XEN_LDFLAGS) --no-warn-rwx-segments -T $(ARCH)/xen.lds -N prelink.o --build-id=sha1 --orphan-handling=warn -o $@

$(ARCH)/xen.lds: $(ARCH)/xen.lds.S include/xen/xen.lds.h $(ARCH)/include/asm/config.h include/xen/config.h include/generated/autoconf.h
	@$(quiet) '  LDS     $@'
	$(Q)$(CC) -E -P -x assembler-with-cpp $(filter-out -MMD -MP -MF $(depfile),$(a_flags)) -D__LINKER__ $< -o $@

# --- Generated headers

include/xen/compile.h: include/xen/compile.h.in FORCE
	$(Q)sed -e 's|@date@|$(XEN_BUILD_DATE)|' -e 's|@version@|$(XEN_VERSION)|' -e 's|@subversion@|$(XEN_SUBVERSION)|' \
	    -e 's|@extraversion@|$(XEN_EXTRAVERSION)|' -e 's|@changeset@|$(XEN_CHANGESET)|' \
	    -e 's|@compiler@|$(shell $(CC) --version 2>&1 | head -n 1)|' < $< > $@.new
	$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@

asm-offsets.s: common/asm-offsets.c .flags.cmd
	$(Q)$(CC) $(filter-out -MMD -MP -MF $(depfile),$(c_flags)) -MMD -MF .asm-offsets.s.d -S -g0 -o $@ -MQ $@ $<

$(ARCH)/include/asm/asm-offsets.h: asm-offsets.s
	@$(quiet) '  GEN     $@'
	$(Q){ echo '/* Made from $<. */'; sed -n 's/.*@offset \([A-Za-z0-9_]*\) [$$\#]*\([0-9-]*\).*/#define \1 \2/p' $<; } > $@

$(COMPAT_HEADERS): include/compat/%.h: include/public/%.h
	@$(quiet) '  GEN     $@'
	$(Q)mkdir -p $(dir $@)
	$(Q)sed -e 's/XEN_PUBLIC/XEN_COMPAT/' -e 's/xen_/compat_/g' -e 's/uint64_t/uint32_t/g' $< > $@

-include $(foreach o,$(ALL_OBJECTS),$(wildcard $(dir $(o)).$(notdir $(o)).d)) $(wildcard .asm-offsets.s.d)
