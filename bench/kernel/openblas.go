package main

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "openblas.h"
*/
import "C"

import (
	"errors"
	"runtime"
)

// openBLASKernels are values of OPENBLAS_CORETYPE; "" leaves the choice to OpenBLAS.
// On other processors than x86 it is left alone.
var openBLASKernels = func() []string {
	if runtime.GOARCH != "amd64" {
		return []string{""}
	}
	return []string{"SkylakeX", "Cooperlake", "Zen", "Haswell", ""}
}()

// openBLASInstalled returns why OpenBLAS cannot be loaded. Nothing links it, so that
// the rest of the project does without.
func openBLASInstalled() error {
	if problem := C.openblas_load(); problem != nil {
		return errors.New(C.GoString(problem))
	}
	return nil
}

// sgemmFeatures is how many features one call of sgemm takes: its result, of 100 MB
// for GPT-2's tokens, is overwritten by the next.
const sgemmFeatures = 504

func prepareSgemm(cores int, s shape) (string, func() (float64, error), error) {
	if err := openBLASInstalled(); err != nil {
		return "", nil, err
	}
	C.openblas_threads(C.int(cores))
	directions, tokens := matrices(s)
	result := make([]float32, min(sgemmFeatures, s.features)*s.tokens)
	return C.GoString(C.openblas_kernel()), func() (float64, error) {
		for from := 0; from < s.features; from += sgemmFeatures {
			C.openblas_project((*C.float)(&directions[from*s.d]), (*C.float)(&tokens[0]), (*C.float)(&result[0]),
				C.int(min(sgemmFeatures, s.features-from)), C.int(s.tokens), C.int(s.d))
		}
		return s.operations(), nil
	}, nil
}
