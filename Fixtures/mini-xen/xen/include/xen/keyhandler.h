#ifndef MINI_KEYHANDLER_H
#define MINI_KEYHANDLER_H

typedef void keyhandler_fn_t(unsigned char key);

void handle_keypress(unsigned char key);
void register_keyhandler(unsigned char key, keyhandler_fn_t *fn, const char *desc);

#endif
