#include <xen/lib.h>
#include <asm/setup.h>
#include <asm/sysreg.h>

#define REG_FIRST_GUEST 0xd050
#define REG_LAST_GUEST  0xd05f

static bool may_load(unsigned int reg)
{
    return reg >= REG_FIRST_GUEST && reg <= REG_LAST_GUEST;
}

int load_guest_sysreg(unsigned int reg, uint64_t value)
{
    int rc;

    if ( !may_load(reg) )
        return -EINVAL;

    write_thread_id(value);
    rc = read_thread_id() == value ? 0 : -EFAULT;
    if ( rc )
        printk("register %x: %d\n", reg, rc);
    return rc;
}
