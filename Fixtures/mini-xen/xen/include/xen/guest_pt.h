#ifndef MINI_GUEST_PT_H
#define MINI_GUEST_PT_H

#define PTE_PRESENT  0x01
#define PTE_WRITE    0x02
#define PTE_ACCESSED 0x20
#define PTE_DIRTY    0x40

struct guest_walk {
    uint64_t va;
    unsigned int levels;
    uint64_t entry[4];
    bool written;
};

int guest_walk_2_levels(const uint64_t *root, uint64_t va, bool write, struct guest_walk *gw);
int guest_walk_3_levels(const uint64_t *root, uint64_t va, bool write, struct guest_walk *gw);
int guest_walk_4_levels(const uint64_t *root, uint64_t va, bool write, struct guest_walk *gw);

#endif
