/* Where the hypervisor is linked to, and how much of the address space it has there. */
#define XEN_VIRT_START  0x00200000
#define XEN_VIRT_SIZE   0x00200000
