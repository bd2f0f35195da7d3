#include <xen/lib.h>
#include <xen/string.h>

struct out {
    char *at, *end;
    int wanted;
};

static noinline void put(struct out *o, char c)
{
    if ( o->at < o->end )
        *o->at++ = c;
    o->wanted++;
}

static void put_number(struct out *o, unsigned long n, unsigned int base)
{
    static const char digits[] = "0123456789abcdef";
    char text[24];
    unsigned int i = 0;

    do {
        text[i++] = digits[n % base];
    } while ( n /= base );

    while ( i )
        put(o, text[--i]);
}

int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list args)
{
    struct out o = { .at = buf, .end = size ? buf + size - 1 : buf };

    for ( ; *fmt; fmt++ )
    {
        bool wide = false;

        if ( *fmt != '%' )
        {
            put(&o, *fmt);
            continue;
        }

        if ( *++fmt == 'l' )
        {
            wide = true;
            fmt++;
        }

        if ( *fmt == 's' )
        {
            const char *s = __builtin_va_arg(args, const char *);

            for ( s = s ?: "(null)"; *s; s++ )
                put(&o, *s);
        }
        else if ( *fmt == 'c' )
            put(&o, __builtin_va_arg(args, int));
        else if ( *fmt == 'p' )
            put_number(&o, (unsigned long)__builtin_va_arg(args, void *), 16);
        else if ( *fmt == 'u' || *fmt == 'd' || *fmt == 'x' )
        {
            long n = wide ? __builtin_va_arg(args, long)
                          : *fmt == 'd' ? __builtin_va_arg(args, int) : __builtin_va_arg(args, unsigned int);

            if ( *fmt == 'd' && n < 0 )
            {
                put(&o, '-');
                n = -n;
            }
            put_number(&o, n, *fmt == 'x' ? 16 : 10);
        }
        else if ( !*fmt )
            break;
        else
            put(&o, *fmt);
    }

    if ( size )
        *o.at = 0;
    return o.wanted;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    __builtin_va_list args;
    int n;

    __builtin_va_start(args, fmt);
    n = vsnprintf(buf, size, fmt, args);
    __builtin_va_end(args);
    return n;
}
