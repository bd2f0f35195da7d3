#include <xen/cache.h>
#include <xen/init.h>
#include <xen/lib.h>
#include <xen/sched.h>
#include <asm/mul_high.h>

DEFINE_PER_CPU(struct vcpu *, curr_vcpu);
static DEFINE_PER_CPU(uint64_t, idle_time);
static DEFINE_PER_CPU(unsigned int, switches);

/* In microseconds. */
unsigned int sched_period __read_mostly = 30000;
integer_param("sched_period", sched_period);

static unsigned int sched_rate __ro_after_init = 1000;

static const char *const state_names[] = { "idle", "ready", "blocked", "paused" };

static const uint16_t weights[8] = { 64, 128, 192, 256, 320, 384, 448, 512 };

const char *vcpu_state_name(const struct vcpu *v)
{
    ASSERT(v->state < ARRAY_SIZE(state_names));
    return state_names[v->state];
}

unsigned int sched_weight(const struct vcpu *v)
{
    return weights[v->priority & 7];
}

/* The fraction of a period that some nanoseconds are, as a 64-bit fixed-point number. */
static noinline uint64_t period_share(uint64_t ns)
{
    return mul_high(ns, 0x0002328000000000);
}

/* Only one field of what it gets is used, by value. */
static noinline unsigned int ticks_left(const struct vcpu *v, unsigned int scale)
{
    unsigned int i, ticks = 0;

    for ( i = 0; i < scale; i++ )
        ticks += (v->runtime >> i) & sched_period;
    return ticks;
}

/* The usual case is short, the other one long. */
static void check_overrun(struct vcpu *v)
{
    if ( likely(v->runtime < sched_period) )
        return;

    printk("vcpu %u overran: %u ticks\n", v->id, ticks_left(v, 4));
    printk("vcpu %u: weight %u\n", v->id, sched_weight(v));
    v->runtime -= sched_period;
    v->state = RUN_PAUSED;
    if ( v->runtime > 8 * (uint64_t)sched_period )
        panic("vcpu %u is out of control\n", v->id);
}

void sched_account(struct vcpu *v, uint64_t ns)
{
    v->runtime += ns / sched_rate;
    check_overrun(v);
    if ( v->state == RUN_IDLE )
        this_cpu(idle_time) += period_share(ns);
}

struct vcpu *sched_pick(struct vcpu *list)
{
    struct vcpu *v, *best = NULL;
    unsigned int most = 0;

    for ( v = list; v; v = v->next )
    {
        unsigned int have = vcpu_credits(v) * sched_weight(v);

        if ( v->state != RUN_READY || have <= most )
            continue;
        most = have;
        best = v;
    }

    if ( best )
    {
        this_cpu(switches)++;
        check_overrun(best);
        if ( ticks_left(best, 4) > sched_period )
            best->state = RUN_BLOCKED;
    }

    return best;
}

int sched_set_priority(struct vcpu *v, unsigned int priority)
{
    if ( priority >= ARRAY_SIZE(weights) )
        return -EINVAL;

    v->priority = priority;
    check_overrun(v);
    return 0;
}

static int __init sched_init(void)
{
    sched_rate = 1000 + sched_period / 1000;
    return 0;
}
presmp_initcall(sched_init);
