#include <xen/bitmap.h>
#include <xen/cache.h>
#include <xen/guest_pt.h>
#include <xen/lib.h>

extern const uint8_t operand_bytes[16];

unsigned int p2m_order(unsigned long frames);
int p2m_audit(const uint64_t *root, const unsigned long *map);

unsigned int p2m_order(unsigned long frames)
{
    unsigned int order = 0;

    while ( (1UL << order) < frames )
        order++;
    return order;
}

/* Only one field of what it gets is used. */
static noinline unsigned int walk_cost(const struct guest_walk *gw)
{
    unsigned int cost = 0, i;

    for ( i = 0; i < gw->levels; i++ )
        cost = cost * 3 + i;
    return cost;
}

int p2m_audit(const uint64_t *root, const unsigned long *map)
{
    static unsigned int audits, failures;
    struct guest_walk gw;
    int rc;

    audits++;
    rc = guest_walk_4_levels(root, (uint64_t)bitmap_first(map, 512) << 12, false, &gw)
         ?: guest_walk_3_levels(root, 0, false, &gw) ?: guest_walk_2_levels(root, 0, true, &gw);
    if ( rc )
        failures += walk_cost(&gw);
    printk("p2m: audit %u of %u frames, order %u, %u failures, first byte %u\n", audits, bitmap_weight(map, 512),
           p2m_order(audits), failures, operand_bytes[audits & 15]);
    return rc;
}
