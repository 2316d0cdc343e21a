#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum kind { WRITE, PWRITE, COPY, TRUNCATE, SYNC, NAME, OTHER, MEMORY };

// happened keeps what a call is about to change, and how it was (power.c).
void happened(enum kind kind, const struct seccomp_notif *asked);

// synced forgets what was kept of a file.
void synced(const struct seccomp_notif *asked);

// kill_and_lose kills the command, and then does to the files what a loss of power may do;
// torn has other files than logs torn too.
void kill_and_lose(pid_t child, uint64_t seed, bool torn);

#endif
