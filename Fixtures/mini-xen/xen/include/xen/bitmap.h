#ifndef MINI_BITMAP_H
#define MINI_BITMAP_H

#define BITS_PER_LONG (8 * __SIZEOF_LONG__)

static inline unsigned int bitmap_words(unsigned int bits)
{
    return (bits + BITS_PER_LONG - 1) / BITS_PER_LONG;
}

unsigned int bitmap_weight(const unsigned long *map, unsigned int bits);
int bitmap_first(const unsigned long *map, unsigned int bits);
bool bitmap_equal(const unsigned long *a, const unsigned long *b, unsigned int bits);

#endif
