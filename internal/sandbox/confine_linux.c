// Landlock and seccomp hold for the thread that asks for them and for those that it starts
// later. Go has several threads before main, so they are asked for before Go begins: a
// constructor runs when the program and its libraries are loaded, in the one thread there is.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine_linux.h"

int saedb_sandbox_files, saedb_sandbox_calls;
char saedb_sandbox_error[200];

static void failed(const char *what)
{
	if (saedb_sandbox_error[0] == 0)
		snprintf(saedb_sandbox_error, sizeof saedb_sandbox_error, "%s: %s", what, strerror(errno));
}

// Landlock's interface is the same on every architecture; headers older than the kernel
// lack parts of it.
enum { create_ruleset = 444, add_rule = 445, restrict_self = 446, rule_path_beneath = 1, version = 1 };

enum {
	execute = 1 << 0, write_file = 1 << 1, read_file = 1 << 2, read_dir = 1 << 3, remove_dir = 1 << 4,
	remove_file = 1 << 5, make_dir = 1 << 7, make_reg = 1 << 8, of_version_1 = (1 << 13) - 1,
	refer = 1 << 13, truncate_file = 1 << 14, ioctl_dev = 1 << 15,
	in_directory = read_file | read_dir | write_file | truncate_file | make_reg | make_dir | remove_file | remove_dir,
	of_files = execute | write_file | read_file | truncate_file | ioctl_dev,
};

struct ruleset {
	uint64_t files, network, scopes;
};

struct path_rule {
	uint64_t allowed;
	int32_t file;
} __attribute__((packed));

// allow leaves out a path that is not there: nobody can make it later where writing is
// not allowed. It returns 0 where the kernel takes no rule for the path.
static int allow(int rules, uint64_t handled, const char *path, uint64_t access)
{
	struct stat found;
	struct path_rule rule = {access & handled, open(path, O_PATH | O_CLOEXEC)};
	if (rule.file < 0)
		return 1;
	if (fstat(rule.file, &found) == 0 && !S_ISDIR(found.st_mode))
		rule.allowed &= of_files;
	int taken = syscall(add_rule, rules, rule_path_beneath, &rule, 0) == 0;
	close(rule.file);
	return taken;
}

// of_the_machine is what libraries read of it: its processors and memory, the bounds of a
// container (without which DuckDB ends the process), the stack's place, the local time zone,
// and random numbers, where the C++ library takes them from a file.
static const char *const of_the_machine[] = {
	"/proc/self/cgroup", "/proc/self/maps", "/proc/self/mountinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory", "/proc/stat", "/proc/cpuinfo",
	"/sys/fs/cgroup", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage", "/etc/localtime",
	"/usr/share/zoneinfo", "/dev/urandom",
};

static void confine_files(const char *directory)
{
	long known = syscall(create_ruleset, NULL, 0, version);
	if (known < 1)
		return; // a kernel without Landlock
	struct ruleset handled = {of_version_1, 0, 0};
	if (known >= 2)
		handled.files |= refer;
	if (known >= 3)
		handled.files |= truncate_file;
	if (known >= 4)
		handled.network = 3; // bind and connect
	if (known >= 5)
		handled.files |= ioctl_dev;
	if (known >= 6)
		handled.scopes = 3; // abstract sockets and signals
	int rules = syscall(create_ruleset, &handled, sizeof handled, 0);
	if (rules < 0)
		return failed("Landlock");
	char name[64];
	const char *path;
	for (int i = 0; snprintf(name, sizeof name, "SAEDB_SANDBOX_READ_%d", i), (path = getenv(name)) != NULL; i++)
		if (!allow(rules, handled.files, path, read_file))
			failed(path);
	if (!allow(rules, handled.files, directory, in_directory))
		failed(directory);
	for (size_t i = 0; i < sizeof of_the_machine / sizeof of_the_machine[0]; i++)
		(void)allow(rules, handled.files, of_the_machine[i], read_file | read_dir);
	if (saedb_sandbox_error[0] == 0 && syscall(restrict_self, rules, 0) != 0)
		failed("Landlock");
	close(rules);
	saedb_sandbox_files = saedb_sandbox_error[0] == 0;
}

// refused are the system calls that a query has no use for: networks, programs, other
// processes, owners and modes of files, and what has let processes out of such filters.
static const int refused[] = {
	SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept4, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
	SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kill, SYS_tkill,
	SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr,
	SYS_mount, SYS_umount2, SYS_chroot, SYS_pivot_root, SYS_unshare, SYS_setns, SYS_mknodat, SYS_setrlimit,
	SYS_add_key, SYS_request_key, SYS_keyctl, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff,
	SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_acct, SYS_quotactl,
	SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_personality,
	424 /* pidfd_send_signal */, 425, 426, 427 /* io_uring */, 428, 429, 430, 431, 432 /* the new mounts */,
	434 /* pidfd_open */, 438 /* pidfd_getfd */, 442 /* mount_setattr */, 452 /* fchmodat2 */,
#ifdef __x86_64__
	SYS_fork, SYS_vfork, SYS_accept, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_mknod,
	SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#else
	SYS_accept,
#endif
};

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
#define ARGUMENT(n) (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (n)) // its low half
#define ANSWER(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at)
#define EQUAL(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)

static void confine_calls(void)
{
	struct sock_filter filter[32 + 2 * sizeof refused / sizeof refused[0]];
	unsigned short n = 0;
#define ADD(...) filter[n++] = (struct sock_filter)__VA_ARGS__
	ADD(LOAD(offsetof(struct seccomp_data, arch)));
	ADD(EQUAL(ARCHITECTURE, 1, 0));
	ADD(ANSWER(EPERM));
	ADD(LOAD(offsetof(struct seccomp_data, nr)));
#ifdef __x86_64__
	ADD(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1)); // x32: the same calls by other numbers
	ADD(ANSWER(EPERM));
#endif
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		ADD(EQUAL((uint32_t)refused[i], 0, 1));
		ADD(ANSWER(EPERM));
	}
	// Threads are started and processes are not. The flags of clone3 cannot be read here;
	// the C library then uses clone.
	ADD(EQUAL(435, 0, 1));
	ADD(ANSWER(ENOSYS));
	ADD(EQUAL(SYS_clone, 0, 4));
	ADD(LOAD(ARGUMENT(0)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x10000 /* CLONE_THREAD */, 1, 0));
	ADD(ANSWER(EPERM));
	ADD(LOAD(offsetof(struct seccomp_data, nr)));
	// Limits are read and not set, also where root would be let. What is none of these calls
	// is allowed.
	ADD(EQUAL(SYS_prlimit64, 0, 4));
	ADD(LOAD(ARGUMENT(2)));
	ADD(EQUAL(0, 0, 3));
	ADD(LOAD(ARGUMENT(2) + 4));
	ADD(EQUAL(0, 0, 1));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	ADD(ANSWER(EPERM));
	struct sock_fprog program = {n, filter};
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		saedb_sandbox_calls = 1;
	else if (errno != EINVAL && errno != ENOSYS) // a kernel without seccomp
		failed("seccomp");
}
#else
static void confine_calls(void) {}
#endif

__attribute__((constructor)) static void confine(void)
{
	const char *directory = getenv("SAEDB_SANDBOX_DIRECTORY");
	if (directory == NULL)
		return;
	syscall(436 /* close_range */, 3, ~0U, 0); // what was open where this process was started
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("no_new_privs");
	confine_files(directory);
	confine_calls();
}
