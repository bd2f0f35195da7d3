#ifndef MINI_CONSOLE_H
#define MINI_CONSOLE_H

void console_puts(const char *s);
unsigned int console_lines(void);

#endif
