/* The same questions from a 32-bit guest: the source of the 64-bit ones again, with other types. */

#include <xen/lib.h>
#include <xen/string.h>
#include <xen/version.h>
#include <asm/guest_access.h>
#include <asm/setup.h>
#include <public/version.h>
#include <compat/version.h>

#define COMPAT
#define DO(name) compat_##name

#define xen_extraversion_t compat_extraversion_t
#define xen_changeset_t    compat_changeset_t
#define xen_capabilities_t compat_capabilities_t
#define xen_counters       compat_counters

#include "../kernel.c"
