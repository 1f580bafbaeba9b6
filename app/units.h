/* Figures as people read them. Each writes into buf and returns it. */
#ifndef APP_UNITS_H
#define APP_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Powers of 1024, three digits: "93.8 MiB", "1.07 GiB", "812 B". */
const char *units_bytes(char *buf, size_t size, uint64_t bytes);
/* "0.26 s", "84 ms", "3 min 20 s" */
const char *units_time(char *buf, size_t size, int64_t ns);
/* A count of parameters: "260K", "135M", "1.7B". */
const char *units_params(char *buf, size_t size, int64_t n);

#endif
