#pragma once
#include <Zydis/Zydis.h>

/* Swift does not import macros that take an argument. */
static inline ZyanBool zydis_succeeded(ZyanStatus status) { return ZYAN_SUCCESS(status); }
