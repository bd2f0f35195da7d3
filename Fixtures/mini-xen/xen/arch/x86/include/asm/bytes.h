/* What memset and memcpy do. */
#ifndef MINI_ASM_BYTES_H
#define MINI_ASM_BYTES_H

static inline void fill_bytes(void *to, int c, size_t n)
{
    asm volatile ( "rep stosb" : "+D" (to), "+c" (n) : "a" (c) : "memory" );
}

static inline void copy_bytes(void *to, const void *from, size_t n)
{
    asm volatile ( "rep movsb" : "+D" (to), "+S" (from), "+c" (n) : : "memory" );
}

#endif
