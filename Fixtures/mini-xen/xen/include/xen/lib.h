#ifndef MINI_LIB_H
#define MINI_LIB_H

#include <asm/bug.h>

#define WARN_ON(p) do { if ( unlikely(p) ) WARN(); } while ( 0 )
#define BUG_ON(p)  do { if ( unlikely(p) ) BUG(); } while ( 0 )
#define ASSERT(p)  do { if ( unlikely(!(p)) ) assert_failed(#p); } while ( 0 )

#define EFAULT  14
#define EINVAL  22
#define ENOSYS  38
#define ENODATA 61

#define XENLOG_WARNING "<1>"
#define XENLOG_INFO    "<2>"

void printk(const char *fmt, ...) __printf(1, 2);
void panic(const char *fmt, ...) __printf(1, 2) __cold noreturn;
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list args);

/* A message that carries its place. */
#define dprintk(fmt, args...) printk("%s:%d: " fmt, __FILE__, __LINE__, ## args)

#endif
