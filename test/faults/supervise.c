// Runs a command, and fails one of the system calls that it makes to write below a
// directory, or by which it asks for memory, or loses power there. The kernel asks this program
// about each of them (seccomp's user notification), so calls of DuckDB's and of Go's run time
// count alike, in the order in which they are made by all threads.
//
// usage: supervise DIRECTORY MODE NUMBER SEED REPORT COMMAND…
//
// MODE is count, which fails none; error, in which call NUMBER fails; full, in which it and all
// writes after it find no room; or power or torn, in which the command is killed at it and power.c
// loses what was not synced. These are about files. Of memory are count-memory; refused, in which
// call NUMBER finds none; and memory, in which none after it does either. REPORT gets a line for
// each call, with ! before that which failed first. The exit code is the command's, 0 after a loss
// of power, 125 where calls cannot be supervised.
#define _GNU_SOURCE
#include "supervise.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static const struct call {
	int number;
	const char *name;
	enum kind kind;
	int error;
} calls[] = {
    {SYS_write, "write", WRITE, ENOSPC},
    {SYS_pwrite64, "pwrite", PWRITE, ENOSPC},
    {SYS_writev, "writev", OTHER, ENOSPC},
    {SYS_pwritev, "pwritev", OTHER, ENOSPC},
    {SYS_copy_file_range, "copy_file_range", COPY, ENOSPC},
    {SYS_fallocate, "fallocate", OTHER, ENOSPC},
    {SYS_ftruncate, "ftruncate", TRUNCATE, EIO},
    {SYS_fsync, "fsync", SYNC, EIO},
    {SYS_fdatasync, "fdatasync", SYNC, EIO},
#ifdef SYS_rename
    {SYS_rename, "rename", NAME, EIO},
    {SYS_link, "link", NAME, EIO},
#endif
    {SYS_renameat, "rename", NAME, EIO},
    {SYS_renameat2, "rename", NAME, EIO},
    {SYS_linkat, "link", NAME, EIO},
    {SYS_mmap, "mmap", MEMORY, ENOMEM},
    {SYS_mremap, "mremap", MEMORY, ENOMEM},
    {SYS_mprotect, "mprotect", MEMORY, ENOMEM},
};
enum { number_of_calls = sizeof calls / sizeof calls[0] };

static void give_up(const char *what) {
	fprintf(stderr, "supervise: %s: %s\n", what, strerror(errno));
	exit(125);
}

// install makes the kernel ask about the calls, of memory or of files, and returns what it asks
// through.
static int install(bool memory) {
	struct sock_filter filter[number_of_calls + 3];
	int n = 0;
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	int of_kind = 0;
	for (int i = 0; i < number_of_calls; i++) {
		of_kind += (calls[i].kind == MEMORY) == memory;
	}
	for (int i = 0; i < number_of_calls; i++) {
		if ((calls[i].kind == MEMORY) == memory) {
			filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, of_kind--, 0);
		}
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	struct sock_fprog program = {n, filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		return -1;
	}
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	// Otherwise a signal to the caller has the kernel ask again.
	int listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
	return listener;
}

static void send_descriptor(int socket, int descriptor) {
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
	if (sendmsg(socket, &message, 0) < 0) {
		_exit(125);
	}
}

static int receive_descriptor(int socket) {
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
	if (recvmsg(socket, &message, 0) != 1 || CMSG_FIRSTHDR(&message) == NULL) {
		return -1;
	}
	int descriptor;
	memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return descriptor;
}

static const struct call *call_of(int number) {
	for (int i = 0; i < number_of_calls; i++) {
		if (calls[i].number == number) {
			return &calls[i];
		}
	}
	return NULL;
}

// below tells whether a call is about a file below the directory. All renames and links count, and
// all calls that ask for memory to write to, but for that of files.
static bool below(const char *directory, const struct call *c, const struct seccomp_notif *asked) {
	if (c->kind == NAME) {
		return true;
	}
	if (c->kind == MEMORY) {
		return c->number == SYS_mremap || (asked->data.args[2] & PROT_WRITE &&
		                                   (c->number == SYS_mprotect || asked->data.args[3] & MAP_ANONYMOUS));
	}
	char link[64], path[4096];
	int descriptor = asked->data.args[c->kind == COPY ? 2 : 0];
	snprintf(link, sizeof link, "/proc/%d/fd/%d", asked->pid, descriptor);
	ssize_t n = readlink(link, path, sizeof path - 1);
	return n > 0 && strncmp(path, directory, strlen(directory)) == 0;
}

int main(int argc, char **argv) {
	if (argc < 7) {
		fprintf(stderr, "usage: supervise DIRECTORY MODE NUMBER SEED REPORT COMMAND…\n");
		return 125;
	}
	const char *directory = argv[1], *mode = argv[2];
	bool torn = strcmp(mode, "torn") == 0, power = torn || strcmp(mode, "power") == 0, full = strcmp(mode, "full") == 0, error = strcmp(mode, "error") == 0;
	bool memory = strcmp(mode, "memory") == 0, refused = strcmp(mode, "refused") == 0;
	long wanted = atol(argv[3]), counted = 0;
	FILE *report = fopen(argv[5], "we");
	int sockets[2];
	if (report == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets)) {
		give_up(argv[5]);
	}
	setvbuf(report, NULL, _IOLBF, 0); // it is read also where this program is ended
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); // whoever ends this program ends the command
		int listener = install(memory || refused || strcmp(mode, "count-memory") == 0);
		if (listener < 0) {
			_exit(125);
		}
		send_descriptor(sockets[1], listener);
		close(listener);
		execvp(argv[6], argv + 6);
		_exit(125);
	}
	close(sockets[1]);
	int listener = receive_descriptor(sockets[0]);
	if (child < 0 || listener < 0) {
		give_up("calls cannot be supervised here");
	}
	struct pollfd ready = {listener, POLLIN, 0};
	bool failed = false;
	while (poll(&ready, 1, -1) > 0 && ready.revents & POLLIN) {
		struct seccomp_notif asked = {0};
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) {
			continue; // the caller is gone
		}
		struct seccomp_notif_resp answer = {.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
		const struct call *c = call_of(asked.data.nr);
		bool counts = c != NULL && below(directory, c, &asked);
		if (counts && power && c->kind == COPY) { // whoever asks copies by itself then
			counts = false, answer.flags = 0, answer.error = -EXDEV;
		}
		if (counts) {
			counted++;
			bool space = c->error == ENOSPC;
			bool fails = (counted == wanted && (error || refused || power)) ||
			             (counted >= wanted && (memory || (full && space)));
			fprintf(report, "%s%s\n", fails && !failed ? "!" : "", c->name);
			failed = failed || fails;
			if (power) {
				if (c->kind == SYNC && counted != wanted) {
					synced(&asked);
					answer.flags = 0; // done, as far as the caller knows
				} else {
					happened(c->kind, &asked);
				}
			}
			if (power && fails) {
				kill_and_lose(child, strtoull(argv[4], NULL, 10), torn);
				fclose(report);
				return 0;
			}
			if (fails) {
				answer.flags = 0, answer.error = -c->error;
			}
		}
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	int status = 0;
	waitpid(child, &status, 0);
	fclose(report);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
