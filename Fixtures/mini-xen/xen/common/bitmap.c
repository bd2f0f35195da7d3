#include <xen/bitmap.h>
#include <xen/lib.h>

unsigned int bitmap_weight(const unsigned long *map, unsigned int bits)
{
    unsigned int i, n = 0;

    for ( i = 0; i < bits; i++ )
        n += (map[i / BITS_PER_LONG] >> (i % BITS_PER_LONG)) & 1;
    return n;
}

int bitmap_first(const unsigned long *map, unsigned int bits)
{
    unsigned int i;

    for ( i = 0; i < bits; i++ )
        if ( (map[i / BITS_PER_LONG] >> (i % BITS_PER_LONG)) & 1 )
            return i;
    return -1;
}

bool bitmap_equal(const unsigned long *a, const unsigned long *b, unsigned int bits)
{
    unsigned int i;

    for ( i = 0; i < bitmap_words(bits); i++ )
        if ( a[i] != b[i] )
            return false;
    return true;
}
