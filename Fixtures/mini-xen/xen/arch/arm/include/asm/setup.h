#ifndef MINI_ASM_SETUP_H
#define MINI_ASM_SETUP_H

void arch_get_xen_caps(char *caps, size_t size);
void apply_alternatives(void);
int load_guest_sysreg(unsigned int reg, uint64_t value);
long do_xen_version(unsigned int cmd, void *arg);

#endif
