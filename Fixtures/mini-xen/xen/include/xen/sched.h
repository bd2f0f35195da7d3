#ifndef MINI_SCHED_H
#define MINI_SCHED_H

#include <xen/percpu.h>

enum run_state { RUN_IDLE, RUN_READY, RUN_BLOCKED, RUN_PAUSED };

struct vcpu {
    unsigned int id;
    unsigned int priority;
    enum run_state state;
    uint64_t runtime;
    struct vcpu *next;
};

DECLARE_PER_CPU(struct vcpu *, curr_vcpu);
#define current this_cpu(curr_vcpu)

/* Credits that a vcpu of this priority gets in each period. */
static inline unsigned int vcpu_credits(const struct vcpu *v)
{
    return (v->priority + 1) * 300;
}

const char *vcpu_state_name(const struct vcpu *v);
unsigned int sched_weight(const struct vcpu *v);
void sched_account(struct vcpu *v, uint64_t ns);
struct vcpu *sched_pick(struct vcpu *list);
int sched_set_priority(struct vcpu *v, unsigned int priority);
extern unsigned int sched_period;

#endif
