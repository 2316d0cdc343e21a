package capi

// #include <stdlib.h>
import "C"

import "unsafe"

// Getenv is a variable of the process's environment as it is now. Go's os.Getenv is as it was
// when the library was loaded, which may be before the process it is in changed it.
func Getenv(name string) string {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	if value := C.getenv(text); value != nil {
		return C.GoString(value)
	}
	return ""
}
