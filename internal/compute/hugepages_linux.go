package compute

import (
	"syscall"
	"unsafe"
)

// onHugePages asks the system to back the values, not touched yet, with 2 MiB
// pages: exact weights are read at random token rows, and with pages of 4 KiB each
// such read misses the TLB (8 of 1,000 samples of a whole pass).
func onHugePages(values []float32) {
	const page, adviseHugePage = 2 << 20, 14 // MADV_HUGEPAGE
	first := uintptr(unsafe.Pointer(unsafe.SliceData(values)))
	skip := int((page - first%page) % page)
	length := (4*len(values) - skip) / page * page
	if length <= 0 {
		return
	}
	whole := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), 4*len(values))
	// A system without them says so, and nothing is lost.
	_ = syscall.Madvise(whole[skip:skip+length], adviseHugePage)
}
