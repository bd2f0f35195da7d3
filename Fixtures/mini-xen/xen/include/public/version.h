/* The answers to a guest that asks what it runs on. */
#ifndef XEN_PUBLIC_VERSION_H
#define XEN_PUBLIC_VERSION_H

#define XEN_PUBLIC_version       0
#define XEN_PUBLIC_extraversion  1
#define XEN_PUBLIC_capabilities  3
#define XEN_PUBLIC_changeset     4
#define XEN_PUBLIC_counters      5

typedef char xen_extraversion_t[16];
typedef char xen_changeset_t[64];
typedef char xen_capabilities_t[128];

struct xen_counters {
    uint64_t calls;
    uint64_t warnings;
};

#endif
