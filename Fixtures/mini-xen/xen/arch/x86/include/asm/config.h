/* Where the hypervisor is linked to. */
#define XEN_VIRT_START  0xffff82d040000000
#define XEN_IMG_OFFSET  0x200000
