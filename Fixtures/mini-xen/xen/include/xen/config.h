/* Comes before everything else, in C and in assembly. */
#ifndef MINI_CONFIG_H
#define MINI_CONFIG_H

#include <generated/autoconf.h>

#define NR_CPUS         CONFIG_NR_CPUS
#define PAGE_SIZE       4096
#define STACK_SIZE      (8 * PAGE_SIZE)
#include <asm/config.h>

#ifndef __ASSEMBLY__
/* Nothing is ever found through a global offset table. */
#pragma GCC visibility push(hidden)
#include <xen/types.h>
#include <xen/compiler.h>
#endif

#endif
