// Extended attributes of files (xattr(7)). The module of the C library does not have them.
#pragma once
#include <sys/xattr.h>
