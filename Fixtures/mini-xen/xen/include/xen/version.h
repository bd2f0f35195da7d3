#ifndef MINI_VERSION_H
#define MINI_VERSION_H

const char *xen_compile_date(void);
const char *xen_compiler(void);
unsigned int xen_major_version(void);
unsigned int xen_minor_version(void);
const char *xen_extra_version(void);
const char *xen_changeset(void);
int xen_build_id(const void **p, unsigned int *len);
void xen_build_init(void);
int livepatch_op(unsigned int cmd);

#endif
