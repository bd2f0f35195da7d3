#include <xen/cache.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/percpu.h>
#include <xen/string.h>
#include <asm/alternative.h>
#include <asm/setup.h>

unsigned long __per_cpu_offset[NR_CPUS] __read_mostly;

static bool hvm_enabled __read_mostly = true;
boolean_param("hvm", hvm_enabled);

void arch_get_xen_caps(char *caps, size_t size)
{
    char one[32];

    snprintf(one, sizeof(one), "xen-3.0-x86_%u ", 64);
    strlcpy(caps, one, size);
    if ( hvm_enabled )
    {
        snprintf(one, sizeof(one), "hvm-3.0-x86_%u ", 64);
        strlcat(caps, one, size);
    }
}
