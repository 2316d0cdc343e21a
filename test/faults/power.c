// What a loss of power leaves of files. A write that no sync of its file came after may be on
// disk or not, whatever others are, and that to a log, or any where that is asked for, in parts
// of 512 bytes; so may a change of a file's length. Names are taken to be as they were given,
// in order.
#define _GNU_SOURCE
#include "supervise.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { sector = 512, most_files = 4096 };

// A file that was written to, held open for as long as this program runs.
static struct file {
	dev_t device;
	ino_t inode;
	int descriptor;
	bool log;
} files[most_files];
static int number_of_files;

// A change that no sync came after.
struct change {
	struct change *before;
	struct file *file;
	off_t offset, old_size;
	size_t length, old_length; // of the bytes that are written, and of those that were there
	char *bytes, *old_bytes;   // bytes is NULL where the file is cut to offset
};
static struct change *last;

static void *allocated(size_t size) {
	void *memory = malloc(size + 1);
	if (memory == NULL) {
		abort();
	}
	return memory;
}

// file_of is the file of a caller's descriptor, NULL where it cannot be opened.
static struct file *file_of(const struct seccomp_notif *asked) {
	char link[64];
	snprintf(link, sizeof link, "/proc/%d/fd/%d", asked->pid, (int)asked->data.args[0]);
	struct stat status;
	if (stat(link, &status) || !S_ISREG(status.st_mode)) {
		return NULL;
	}
	for (int i = 0; i < number_of_files; i++) {
		if (files[i].device == status.st_dev && files[i].inode == status.st_ino) {
			return &files[i];
		}
	}
	if (number_of_files == most_files) {
		abort();
	}
	struct file *file = &files[number_of_files];
	char path[4096];
	ssize_t n = readlink(link, path, sizeof path);
	bool log = n > 4 && memcmp(path + n - 4, ".wal", 4) == 0;
	*file = (struct file){status.st_dev, status.st_ino, open(link, O_RDWR | O_CLOEXEC), log};
	if (file->descriptor < 0) {
		return NULL;
	}
	number_of_files++;
	return file;
}

// position is where a caller's write without an offset goes.
static off_t position(const struct seccomp_notif *asked, off_t size) {
	char path[64], line[128];
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", asked->pid, (int)asked->data.args[0]);
	FILE *info = fopen(path, "re");
	long long at = 0;
	unsigned flags = 0;
	while (info != NULL && fgets(line, sizeof line, info)) {
		sscanf(line, "pos: %lld", &at);
		sscanf(line, "flags: %o", &flags);
	}
	if (info != NULL) {
		fclose(info);
	}
	return flags & O_APPEND ? size : at;
}

void happened(enum kind kind, const struct seccomp_notif *asked) {
	struct file *file;
	if ((kind != WRITE && kind != PWRITE && kind != TRUNCATE) || (file = file_of(asked)) == NULL) {
		return;
	}
	struct stat status;
	fstat(file->descriptor, &status);
	struct change *c = allocated(sizeof *c);
	*c = (struct change){.before = last, .file = file, .old_size = status.st_size};
	if (kind == TRUNCATE) {
		c->offset = asked->data.args[1];
		c->old_length = c->offset < c->old_size ? c->old_size - c->offset : 0;
	} else {
		c->offset = kind == PWRITE ? (off_t)asked->data.args[3] : position(asked, status.st_size);
		c->length = c->old_length = asked->data.args[2];
		c->bytes = allocated(c->length);
		struct iovec to = {c->bytes, c->length}, from = {(void *)asked->data.args[1], c->length};
		if (process_vm_readv(asked->pid, &to, 1, &from, 1, 0) != (ssize_t)c->length) {
			abort();
		}
	}
	c->old_bytes = allocated(c->old_length);
	ssize_t there = pread(file->descriptor, c->old_bytes, c->old_length, c->offset);
	c->old_length = there > 0 ? there : 0;
	last = c;
}

void synced(const struct seccomp_notif *asked) {
	struct file *file = file_of(asked);
	for (struct change **at = &last; file != NULL && *at != NULL;) {
		struct change *c = *at;
		if (c->file != file) {
			at = &c->before;
			continue;
		}
		*at = c->before;
		free(c->bytes);
		free(c->old_bytes);
		free(c);
	}
}

static uint64_t state;

// chance is SplitMix64.
static uint64_t chance(void) {
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void put(struct file *file, const char *bytes, size_t length, off_t offset) {
	if (pwrite(file->descriptor, bytes, length, offset) != (ssize_t)length) {
		abort();
	}
}

// survive puts on disk what is left of a change.
static void survive(struct change *c, bool torn) {
	uint64_t fate = chance() % 4;
	if (fate < 2) {
		return;
	}
	if (c->bytes == NULL) {
		if (ftruncate(c->file->descriptor, c->offset)) {
			abort();
		}
		return;
	}
	for (size_t from = 0; from < c->length; from += sector) {
		if (fate == 3 || (!torn && !c->file->log) || chance() & 1) {
			put(c->file, c->bytes + from, c->length - from < sector ? c->length - from : sector, c->offset + from);
		}
	}
}

void kill_and_lose(pid_t child, uint64_t seed, bool torn) {
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	state = seed;
	int n = 0;
	for (struct change *c = last; c != NULL; c = c->before, n++) { // as if none had happened
		put(c->file, c->old_bytes, c->old_length, c->offset);
		struct stat status;
		fstat(c->file->descriptor, &status);
		if (status.st_size > c->old_size && ftruncate(c->file->descriptor, c->old_size)) {
			abort();
		}
	}
	struct change **all = allocated(n * sizeof *all);
	n = 0;
	for (struct change *c = last; c != NULL; c = c->before) {
		all[n++] = c;
	}
	for (; n > 0; n--) { // in any order
		int i = chance() % n;
		struct change *c = all[i];
		all[i] = all[n - 1];
		survive(c, torn);
	}
}
