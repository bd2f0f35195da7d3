#ifndef MINI_ASM_IO_H
#define MINI_ASM_IO_H

#define UART_BASE 0x1c090000UL

static inline void outb(unsigned char c, unsigned short to)
{
    *(volatile uint32_t *)(UART_BASE + to) = c;
}

/* A loop around this is one jump. */
static inline void halt(void)
{
    barrier();
}

#endif
