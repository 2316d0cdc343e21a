package compute

// #include "native.h"
import "C"

import "context"

// Transform writes what directions [n, inputs] become through a matrix [outputs, inputs] to out
// [n, outputs]: Σⱼ matrix[i, j]·w[j], and w[i] more where add says so, which needs a square
// matrix. Each is a float64 sum in the order of [dot], rounded once: it depends on its direction
// alone, and is the same on every kernel.
func Transform(ctx context.Context, matrix []float32, outputs, inputs int, directions []float32, add bool, out []float32) error {
	n := len(directions) / max(inputs, 1)
	if len(matrix) != outputs*inputs || len(directions) != n*inputs || len(out) != n*outputs || add && outputs != inputs {
		panic("compute: Transform: slices of the wrong length")
	}
	if n == 0 || outputs == 0 || inputs == 0 {
		return ctx.Err()
	}
	k, err := kernelFromEnvironment()
	if err != nil {
		return err
	}
	// Directions of one call, 64 of d_model 768 being 192 KiB, stay in L2.
	const atOnce = 64
	return inParallel(ctx, n, atOnce, 0, func(_ context.Context, from, to int) error {
		part, into := directions[from*inputs:to*inputs], out[from*outputs:to*outputs]
		if native, ok := k.(nativeKernel); ok {
			C.native_transform(native.functions, (*C.float)(&matrix[0]), C.int64_t(outputs), C.int64_t(inputs),
				(*C.float)(&part[0]), C.int64_t(to-from), C.bool(add), (*C.float)(&into[0]))
			return nil
		}
		for r := range to - from {
			w := part[r*inputs : (r+1)*inputs]
			for i := range outputs {
				sum := dot(w, matrix[i*inputs:(i+1)*inputs])
				if add {
					sum += float64(w[i])
				}
				into[r*outputs+i] = float32(sum)
			}
		}
		return nil
	})
}
