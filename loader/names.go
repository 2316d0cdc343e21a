package loader

import "github.com/saedb/saedb/loader/sae"

// TellApart names the SAEs of requests without a name that are loaded together, such as the
// checkpoints of several runs: by their own names and, where several have the same, by as
// much of their paths as tells them apart.
func TellApart(requests []SAERequest) {
	if len(requests) < 2 {
		return // its own name
	}
	var paths []string
	var unnamed []*SAERequest
	for i := range requests {
		if r := &requests[i]; r.Name == "" {
			paths, unnamed = append(paths, absolute(r.Path)), append(unnamed, r)
		}
	}
	for i, name := range sae.Names(paths) {
		unnamed[i].Name = name
	}
}
