#include <xen/cache.h>
#include <xen/console.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/string.h>
#include <asm/io.h>

#define RING_SIZE 16384

static char ring[RING_SIZE];
static unsigned int ring_at;
static unsigned int lines = 1;

static bool opt_sync __read_mostly = true;
boolean_param("sync_console", opt_sync);

static unsigned short port __ro_after_init = 0x3f8;

/* One of several functions of this name. */
static noinline void show_state(unsigned int n)
{
    static unsigned int shown;

    shown += n;
    if ( shown % 1000 == 0 )
        dprintk("%u bytes written\n", shown);
}

void console_puts(const char *s)
{
    for ( ; *s; s++ )
    {
        ring[ring_at++ % RING_SIZE] = *s;
        if ( *s == '\n' )
            lines++;
        if ( opt_sync )
            outb(*s, port);
    }
}

unsigned int console_lines(void)
{
    show_state(lines);
    return lines;
}

/* The level is the digit of a leading "<1>". */
static const char *skip_level(const char *text)
{
    return text[0] == '<' && text[1] && text[2] == '>' ? text + 3 : text;
}

static void vprintk(const char *fmt, __builtin_va_list args)
{
    static char buf[1024];

    vsnprintf(buf, sizeof(buf), fmt, args);
    console_puts("(XEN) ");
    console_puts(skip_level(buf));
}

void printk(const char *fmt, ...)
{
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    vprintk(fmt, args);
    __builtin_va_end(args);
}

/* One instruction, or two: as short as a function can be. */
static noinline noreturn void halt_forever(void)
{
    for ( ; ; )
        halt();
}

void panic(const char *fmt, ...)
{
    __builtin_va_list args;

    __builtin_va_start(args, fmt);
    vprintk(fmt, args);
    __builtin_va_end(args);
    halt_forever();
}

static int __init console_init(void)
{
    if ( !opt_sync )
        port = 0x2f8;
    memset(ring, 0, sizeof(ring));
    printk("console is up\n");
    return 0;
}
presmp_initcall(console_init);
