package files

// Lock says what came of trying to lock a file.
type Lock int

const (
	Locked        Lock = iota // until the file is closed, or the program ends
	HeldElsewhere             // another program has it, or another open file of this one
	NoLocks                   // the system, or the file system, has none
)
