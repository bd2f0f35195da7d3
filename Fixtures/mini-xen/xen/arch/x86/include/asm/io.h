#ifndef MINI_ASM_IO_H
#define MINI_ASM_IO_H

static inline void outb(unsigned char c, unsigned short to)
{
    asm volatile ( "outb %0, %1" : : "a" (c), "d" (to) );
}

static inline void halt(void)
{
    asm volatile ( "hlt" );
}

#endif
