package compute

import "unsafe"

// alignedFloats returns n zeros whose address is a multiple of alignment floats.
func alignedFloats(n, alignment int) []float32 {
	buffer := make([]float32, n+alignment)
	onHugePages(buffer)
	past := int(uintptr(unsafe.Pointer(unsafe.SliceData(buffer))) / 4 % uintptr(alignment))
	first := (alignment - past) % alignment
	return buffer[first : first+n : first+n]
}
