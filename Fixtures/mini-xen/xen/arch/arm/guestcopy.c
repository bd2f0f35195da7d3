#include <xen/lib.h>
#include <xen/string.h>
#include <asm/guest_access.h>

unsigned int copy_to_guest(void *to, const void *from, unsigned int len)
{
    allow_guest_access();
    memcpy(to, from, len);
    deny_guest_access();
    return 0;
}

unsigned int copy_from_guest(void *to, const void *from, unsigned int len)
{
    if ( (unsigned long)from - XEN_VIRT_START < XEN_VIRT_SIZE )
        return len;

    allow_guest_access();
    memcpy(to, from, len);
    deny_guest_access();
    return 0;
}
