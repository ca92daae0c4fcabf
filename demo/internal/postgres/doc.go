// Package postgres gives the demo a PostgreSQL server to run out of
// connections, and the task that does so.
//
// The experiment is the third of the blog post: N tasks each open their own
// connection to a server whose max_connections is 100. All at once, most of
// them are refused with SQLSTATE 53300; held back to fewer than the server has
// slots, or led through a pool, none is.
//
// # Where the server comes from
//
// [Open] takes the first of these that applies, and [Server.Label] says which
// one it was, so that no table of results can pass a stand-in off as a server:
//
//   - External: the server that Config.DSN names. Nothing is created in it.
//   - Temporary: a real PostgreSQL, made with the initdb and postgres found on
//     PATH or in the usual folders, in a directory of its own. It listens on
//     127.0.0.1, and its superuser cannot log in over the network.
//   - StandIn: a server inside this process which speaks the wire protocol and
//     counts sessions exactly as PostgreSQL does, but knows a handful of
//     statements and no SQL. Each connection to it costs this process two file
//     descriptors, one for either end.
//
// A temporary server that does not start is not an error: the stand-in takes
// its place, and the label says why. A DSN that does not work is an error,
// because somebody who names a server wants that one.
//
// # How many connections fit
//
// PostgreSQL keeps superuser_reserved_connections (3) of its max_connections
// back, so an ordinary role gets 97 of 100. Tasks run as an ordinary role, and
// [Server.UsableSlots] is the number that they can have.
//
// # Why tasks hold their connection
//
// A server accepts a few hundred connections a second. If every task closed
// its connection as soon as its query was done, how many of 500 are refused
// would depend on how fast this machine forks: 0 and 117 have both been seen
// for the same run. [Workload.Own] therefore holds on to its connection for
// the hold time, and then until every attempt that had begun by then has been
// answered, be it with a connection or with a refusal. With 500 attempts at
// once nobody lets go before the last of them has its answer, and exactly
// 500 - UsableSlots of them are refused, on any machine. With 50 at a time
// there are only 49 others to wait for, and a task takes hardly longer than
// its hold.
//
// One inexactness is PostgreSQL's own and stays visible: closing a connection
// returns before the server has freed its slot. A limit of exactly
// UsableSlots is therefore now and then refused a connection; leave headroom,
// or use a pool, which does not reconnect at all.
//
// # Leaving nothing behind
//
// [Server.Close] stops a temporary server and removes its directory. If this
// process is killed before it can do so, on Linux the kernel shuts the server
// down, and the next Open sweeps the directory. Elsewhere the sweep does both:
// a PostgreSQL whose directory has gone ends itself within about a minute.
package postgres
