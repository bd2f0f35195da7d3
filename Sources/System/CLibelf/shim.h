#pragma once
#include <libelf.h>
#include <gelf.h>

/* glibc declares it only for _GNU_SOURCE, which Swift's importer does not set. */
extern int memfd_create(const char *name, unsigned int flags);
