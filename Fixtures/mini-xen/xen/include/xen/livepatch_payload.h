/* What a patch may use to run code of its own when its payload comes and goes. */
#ifndef MINI_LIVEPATCH_PAYLOAD_H
#define MINI_LIVEPATCH_PAYLOAD_H

typedef void livepatch_hook_t(void);

#define LIVEPATCH_LOAD_HOOK(fn) \
    livepatch_hook_t *const livepatch_load_##fn __used __section(".livepatch.hooks.load") = (fn)
#define LIVEPATCH_UNLOAD_HOOK(fn) \
    livepatch_hook_t *const livepatch_unload_##fn __used __section(".livepatch.hooks.unload") = (fn)

#endif
