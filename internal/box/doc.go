// Package box runs strangers' SQL in a process of its own, which opens the database to be
// read and can do little else: what the query does to it costs that process, and another
// takes its place.
//
// [Box] is this side: it starts the process, asks one query at a time, and ends it when the
// time is over, when it has died, or when nobody waits any more. [Serve] is the other side,
// which checks that a query only reads (check.go) and runs it. They speak in frames over
// pipes (frame.go); a file that is asked for is written into the one directory that the
// process may write to, and taken from there.
package box
