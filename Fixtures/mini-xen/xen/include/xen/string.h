#ifndef MINI_STRING_H
#define MINI_STRING_H

size_t strlen(const char *s);
size_t strlcpy(char *to, const char *from, size_t size);
size_t strlcat(char *to, const char *from, size_t size);
int strcmp(const char *a, const char *b);
void *memset(void *s, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);

#define safe_strcpy(to, from) strlcpy(to, from, sizeof(to))
#define safe_strcat(to, from) strlcat(to, from, sizeof(to))

#endif
