/* Built with jump tables. */
#include <xen/lib.h>

/* How many bytes follow an operation's first one; global, since the emulator looks into it too. */
const uint8_t operand_bytes[16] = { 0, 1, 1, 2, 2, 4, 4, 8, 8, 0, 0, 1, 2, 3, 4, 5 };

int decode_length(unsigned int op);
long decode_and_run(unsigned int op, long a, long b);

int decode_length(unsigned int op)
{
    return op < ARRAY_SIZE(operand_bytes) ? 1 + operand_bytes[op] : -EINVAL;
}

long decode_and_run(unsigned int op, long a, long b)
{
    switch ( op )
    {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a & b;
    case 4: return a | b;
    case 5: return a ^ b;
    case 6: return a << (b & 63);
    case 7: return a >> (b & 63);
    case 8: printk("decode: marker %ld\n", a); return b;
    case 9: BUG_ON(!b); return a;
    default: return -EINVAL;
    }
}
