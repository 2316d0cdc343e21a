// Package web is the explorer: a page in the browser, and the answers in JSON that
// it asks for, read from one database.
//
// Everyone who can reach the port may ask anything in SQL. Such a query runs in a process
// of its own (internal/box); the database of this one is open read-only and confined all
// the same. A request is answered only when its Host is a loopback name, so that no other
// site's name can be pointed here, and when no other site's page sent it.
package web
