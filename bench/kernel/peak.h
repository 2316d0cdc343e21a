#ifndef SAEDB_BENCH_PEAK_H
#define SAEDB_BENCH_PEAK_H

// multiply_add performs steps rounds of independent fused multiply-adds in the widest
// vectors of the processor, and returns how many operations these were.
double multiply_add(long steps);

#endif
