#include <xen/lib.h>
#include <xen/sched.h>

int penalise_current(unsigned int priority);

int penalise_current(unsigned int priority)
{
    struct vcpu *v = current;

    if ( !v )
        return -EINVAL;
    BUG_ON(priority > 255);
    return sched_set_priority(v, priority / 2);
}
