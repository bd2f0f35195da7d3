#ifndef MINI_ASM_GUEST_ACCESS_H
#define MINI_ASM_GUEST_ACCESS_H

#include <asm/alternative.h>

/* Answers how many bytes could not be copied. */
unsigned int copy_to_guest(void *to, const void *from, unsigned int len);
unsigned int copy_from_guest(void *to, const void *from, unsigned int len);

static always_inline void allow_guest_access(void)
{
    alternative("nop", "isb", FEATURE_PAN);
}

static always_inline void deny_guest_access(void)
{
    alternative("nop", "dsb sy", FEATURE_PAN);
}

#endif
