// Package web is the explorer: a page in the browser, and the answers in JSON that
// it asks for, read from one database.
//
// Everyone who can reach the port may ask anything in SQL, so the database is open
// read-only and confined before the first request: no files, no network, no
// extensions, settings locked, and limits on memory and time. A request is answered
// only when its Host is a loopback name, so that no other site's name can be pointed
// here, and when no other site's page sent it.
package web
