#ifndef COMPAT
#include <xen/cache.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/string.h>
#include <xen/version.h>
#include <asm/guest_access.h>
#include <asm/setup.h>
#include <public/version.h>

#define DO(name) do_##name

unsigned int opt_quiet __read_mostly;
integer_param("quiet", opt_quiet);

static int __init quiet_init(void)
{
    if ( opt_quiet )
        printk(XENLOG_INFO "being quiet\n");
    return 0;
}
__initcall(quiet_init);
#endif

/* How often a guest has asked. */
static struct xen_counters counters;

static noinline int answer_text(void *arg, const char *text)
{
    xen_changeset_t answer;

    memset(answer, 0, sizeof(answer));
    safe_strcpy(answer, text);
    return copy_to_guest(arg, answer, sizeof(answer)) ? -EFAULT : 0;
}

long DO(xen_version)(unsigned int cmd, void *arg)
{
    counters.calls++;

    switch ( cmd )
    {
    case XEN_PUBLIC_version:
        return (xen_major_version() << 16) | xen_minor_version();

    case XEN_PUBLIC_extraversion:
    {
        xen_extraversion_t extra;

        memset(extra, 0, sizeof(extra));
        safe_strcpy(extra, xen_extra_version());
        return copy_to_guest(arg, extra, sizeof(extra)) ? -EFAULT : 0;
    }

    case XEN_PUBLIC_capabilities:
    {
        xen_capabilities_t caps;

        memset(caps, 0, sizeof(caps));
        arch_get_xen_caps(caps, sizeof(caps));
        return copy_to_guest(arg, caps, sizeof(caps)) ? -EFAULT : 0;
    }

    case XEN_PUBLIC_changeset:
        return answer_text(arg, xen_changeset());

    case XEN_PUBLIC_counters:
        return copy_to_guest(arg, &counters, sizeof(counters)) ? -EFAULT : 0;
    }

    counters.warnings++;
    printk(XENLOG_WARNING "unknown question %u\n", cmd);
    return -ENOSYS;
}
