/* What memset and memcpy do. */
#ifndef MINI_ASM_BYTES_H
#define MINI_ASM_BYTES_H

/* Volatile, or else the compiler makes a call of memset or memcpy of the loop. */
static inline void fill_bytes(void *to, int c, size_t n)
{
    volatile uint8_t *d = to;

    while ( n-- )
        *d++ = c;
}

static inline void copy_bytes(void *to, const void *from, size_t n)
{
    volatile uint8_t *d = to;
    const uint8_t *s = from;

    while ( n-- )
        *d++ = *s++;
}

#endif
