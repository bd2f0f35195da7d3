/* Compiled once for each depth that a guest's page tables can have. */
#include <xen/guest_pt.h>
#include <xen/lib.h>

#define NAME__(n) guest_walk_##n##_levels
#define NAME_(n)  NAME__(n)
#define guest_walk_levels NAME_(GUEST_PAGING_LEVELS)

static noinline bool mark_used(uint64_t *entry, bool write)
{
    uint64_t wanted = PTE_ACCESSED | (write ? PTE_DIRTY : 0);

    if ( (*entry & wanted) == wanted )
        return false;
    *entry |= wanted;
    return true;
}

int guest_walk_levels(const uint64_t *root, uint64_t va, bool write, struct guest_walk *gw)
{
    int level;

    gw->va = va;
    gw->levels = GUEST_PAGING_LEVELS;
    gw->written = false;

    for ( level = GUEST_PAGING_LEVELS - 1; level >= 0; level-- )
    {
        unsigned int index = (va >> (12 + 9 * level)) & 511;

        gw->entry[level] = root[index];
        if ( !(gw->entry[level] & PTE_PRESENT) )
            return -EFAULT;
        if ( write && !(gw->entry[level] & PTE_WRITE) )
            return -EFAULT;
        gw->written |= mark_used(&gw->entry[level], write && !level);
    }

    return 0;
}
