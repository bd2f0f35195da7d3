#include <xen/cache.h>
#include <xen/compile.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/version.h>

const char *xen_compile_date(void)
{
    return XEN_COMPILE_DATE;
}

const char *xen_compiler(void)
{
    return XEN_COMPILER;
}

unsigned int xen_major_version(void)
{
    return XEN_VERSION;
}

unsigned int xen_minor_version(void)
{
    return XEN_SUBVERSION;
}

const char *xen_extra_version(void)
{
    return XEN_EXTRAVERSION;
}

const char *xen_changeset(void)
{
    return XEN_CHANGESET;
}

static const void *build_id_p __read_mostly;
static unsigned int build_id_len __read_mostly;

int xen_build_id(const void **p, unsigned int *len)
{
    if ( !build_id_len )
        return -ENODATA;

    *p = build_id_p;
    *len = build_id_len;
    return 0;
}

struct note {
    uint32_t name_size, desc_size, type;
    char name[4];
    uint8_t desc[];
};

/* From the linker script. */
extern const struct note __note_gnu_build_id_start[], __note_gnu_build_id_end[];

void __init xen_build_init(void)
{
    const struct note *n = __note_gnu_build_id_start;

    if ( n >= __note_gnu_build_id_end || n->type != 3 )
        return;

    build_id_p = n->desc;
    build_id_len = n->desc_size;
    printk("build-id of %u bytes\n", build_id_len);
}

/* Takes no payloads: it stands for what real ones are recognised by. */
int livepatch_op(unsigned int cmd)
{
    return cmd ? -EINVAL : 0;
}
