//go:build linux || darwin

package npy

import "syscall"

// freeSpace returns how many bytes this user can write to the file system of dir,
// and false when it does not say.
func freeSpace(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || s.Bsize <= 0 {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
