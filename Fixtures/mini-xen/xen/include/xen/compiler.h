#ifndef MINI_COMPILER_H
#define MINI_COMPILER_H

#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)
#define noinline       __attribute__((__noinline__))
#define always_inline  inline __attribute__((__always_inline__))
#define noreturn       __attribute__((__noreturn__))
#define __cold         __attribute__((__cold__))
#define __used         __attribute__((__used__))
#define __aligned(n)   __attribute__((__aligned__(n)))
#define __packed       __attribute__((__packed__))
#define __section(s)   __attribute__((__section__(s)))
#define __weak         __attribute__((__weak__))
#define __printf(f, a) __attribute__((__format__(__printf__, f, a)))

/* Target of an indirect branch: starts with ENDBR64. */
#ifdef CONFIG_XEN_IBT
#define cf_check       __attribute__((cf_check))
#else
#define cf_check
#endif

#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))
#define offsetof(t, m) __builtin_offsetof(t, m)
#define ACCESS_ONCE(x) (*(volatile typeof(x) *)&(x))
#define barrier()      asm volatile ( "" : : : "memory" )

#endif
