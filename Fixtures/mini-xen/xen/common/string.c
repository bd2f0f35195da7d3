#include <xen/string.h>
#include <asm/bytes.h>

size_t strlen(const char *s)
{
    size_t n = 0;

    while ( s[n] )
        n++;
    return n;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
    size_t n = 0;

    for ( ; size && n + 1 < size && from[n]; n++ )
        to[n] = from[n];
    if ( size )
        to[n] = 0;
    return strlen(from);
}

size_t strlcat(char *to, const char *from, size_t size)
{
    size_t n = strlen(to);

    return n + strlcpy(to + n, from, n < size ? size - n : 0);
}

int strcmp(const char *a, const char *b)
{
    while ( *a && *a == *b )
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

void *memset(void *s, int c, size_t n)
{
    fill_bytes(s, c, n);
    return s;
}

void *memcpy(void *to, const void *from, size_t n)
{
    copy_bytes(to, from, n);
    return to;
}
