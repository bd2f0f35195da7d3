#include <xen/lib.h>
#include <asm/guest_access.h>

unsigned int copy_to_guest(void *to, const void *from, unsigned int len)
{
    unsigned long left = len;

    allow_guest_access();
    asm volatile ( "1:\trep movsb\n"
                   "2:\n"
                   "\t.pushsection .fixup, \"ax\", @progbits\n"
                   "3:\tjmp 2b\n"
                   "\t.popsection\n"
                   EX_TABLE(1b, 3b)
                   : "+D" (to), "+S" (from), "+c" (left) : : "memory" );
    deny_guest_access();
    return left;
}

unsigned int copy_from_guest(void *to, const void *from, unsigned int len)
{
    unsigned long left = len;

    if ( (unsigned long)from >= XEN_VIRT_START )
        return len;

    allow_guest_access();
    asm volatile ( "1:\trep movsb\n"
                   "2:\n"
                   EX_TABLE(1b, 2b)
                   : "+D" (to), "+S" (from), "+c" (left) : : "memory" );
    deny_guest_access();
    return left;
}
