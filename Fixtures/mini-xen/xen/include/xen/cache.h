/* Where a variable lives, by how often it is written. */
#ifndef MINI_CACHE_H
#define MINI_CACHE_H

#define __read_mostly     __section(".data.read_mostly")
#define __ro_after_init   __section(".data.ro_after_init")
#define __cacheline_aligned __aligned(128)

#endif
