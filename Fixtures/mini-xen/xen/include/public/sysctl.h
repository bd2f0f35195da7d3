/* What the tools and the hypervisor agree on. Only the part that a payload builder reads. */
#ifndef XEN_PUBLIC_SYSCTL_H
#define XEN_PUBLIC_SYSCTL_H

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015

/* Second format of payloads. */
#define LIVEPATCH_PAYLOAD_VERSION 2

struct livepatch_expectation {
    uint8_t enabled:1;
    uint8_t len:5;
    uint8_t rsv:2;
    uint8_t data[31];
};

struct livepatch_func {
    const char *name;       /* the function to replace */
    void *new_addr;
    void *old_addr;
    uint32_t new_size;
    uint32_t old_size;
    uint8_t version;        /* LIVEPATCH_PAYLOAD_VERSION */
    uint8_t opaque[31];
    uint8_t applied;
    uint8_t _pad[7];
    struct livepatch_expectation expect;
};

#endif
