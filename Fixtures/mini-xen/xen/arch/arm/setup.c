#include <xen/bitmap.h>
#include <xen/cache.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/percpu.h>
#include <xen/string.h>
#include <asm/alternative.h>
#include <asm/setup.h>

unsigned long __per_cpu_offset[NR_CPUS] __read_mostly;

static bool el2_only __read_mostly;
boolean_param("el2", el2_only);

void arch_get_xen_caps(char *caps, size_t size)
{
    char one[32];

    snprintf(one, sizeof(one), "xen-3.0-arm%u ", BITS_PER_LONG);
    strlcpy(caps, one, size);
    if ( !el2_only )
        strlcat(caps, "hvm-3.0 ", size);
}
