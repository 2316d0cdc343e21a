// What became of the sandbox: whether Landlock and seccomp hold, and why one does not that
// the kernel has ("" otherwise).
extern int saedb_sandbox_files, saedb_sandbox_calls;
extern char saedb_sandbox_error[200];
