// Package realtime plays a service that changes, in real time: an origin in a process
// of its own whose capacity, path or quota changes while it is called, and clients
// behind real Limiters. It is the scenarios of package scenario, a handful of them,
// with nothing modelled but the work.
//
// The best that a fixed limit could do in a phase is searched in virtual time for
// the same setting (scenario.Oracle), and then played against the same origin as a
// policy of its own, which changes its limit with every phase. What the others
// achieve is shown beside that run, so that what the machine does to all of them
// cancels out.
//
//	Story     what changes, and what stays (story.go)
//	Runner    plays stories under policies (run.go)
//	client    the callers behind one Limiter (client.go)
//	Result    what a policy achieved in a phase (result.go)
package realtime
