#include <xen/lib.h>
#include <asm/msr.h>
#include <asm/setup.h>

#define MSR_FIRST_GUEST 0xc0000080
#define MSR_LAST_GUEST  0xc0000103

static bool may_load(unsigned int msr)
{
    return msr >= MSR_FIRST_GUEST && msr <= MSR_LAST_GUEST;
}

int load_guest_msr(unsigned int msr, uint64_t value)
{
    int rc;

    if ( !may_load(msr) )
        return -EINVAL;

    rc = wrmsr_safe(msr, value);
    if ( rc )
        printk("msr %x: %d\n", msr, rc);
    return rc;
}
