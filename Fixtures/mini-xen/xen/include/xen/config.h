/* Comes before everything else, in C and in assembly. */
#ifndef MINI_CONFIG_H
#define MINI_CONFIG_H

#include <generated/autoconf.h>

#define XEN_VIRT_START  0xffff82d040000000
#define XEN_IMG_OFFSET  0x200000
#define NR_CPUS         CONFIG_NR_CPUS
#define PAGE_SIZE       4096
#define STACK_SIZE      (8 * PAGE_SIZE)

#ifndef __ASSEMBLY__
/* Nothing is ever found through a global offset table. */
#pragma GCC visibility push(hidden)
#include <xen/types.h>
#include <xen/compiler.h>
#endif

#endif
