// Package origin runs a small HTTP origin whose capacity is known exactly, so
// that an experiment can say beforehand how many calls it will fail.
//
// # Why a child process
//
// A server inside the load generator would share its Go scheduler and its file
// descriptors: a thousand client goroutines would delay the server's timers,
// every connection would cost two descriptors, and the figures would describe
// that mixture. [Start] therefore runs the program's own binary a second time,
// with an environment variable set, and [Main], called first in main and in
// TestMain, turns that second process into the origin:
//
//	func main() {
//		origin.Main() // does not return in the child
//		...
//		o, err := origin.Start(ctx, origin.Config{})
//		if err != nil {
//			return err
//		}
//		defer o.Close()
//		// send GETs to o.URL()
//	}
//
// # What it simulates
//
// Config.Workers workers, each busy for Config.Service per request, behind one
// first-in first-out queue: a G/D/c queue, in the words of the text books. Its
// capacity is Workers / Service, with the defaults 8 / 10 ms = 800 requests per
// second, and its behaviour follows from one rule:
//
//	a caller waits in flight / capacity, so timeouts begin
//	when in flight > capacity × timeout
//
// A thousand calls at once wait up to 1.25 s, so with a timeout of 1 s about a
// fifth of them must fail; in batches of 200 none waits longer than 0.25 s. The
// figure shrinks by as many as are served while the calls are still being made:
// 100 ms spent on making them lets 80 more through.
//
// A caller that gives up does not free its place. Most real servers look at the
// connection again only when they write the answer, so this one, too, does the
// work and then finds nobody there. Such work is counted as [Stats].ServedLate:
// it is capacity taken from callers that are still waiting, which is what turns
// an overload into a collapse.
//
// Config.Network adds time on the way to and from the workers. It takes part in
// that arithmetic and has no timers of its own, so it is as exact as they are.
// The other fields of Config are other ways to stop coping, see [Mechanism].
//
// # One run after another
//
// The queue outlives the calls that filled it. Between two runs:
//
//	o.Drain(ctx) // let the abandoned requests finish, so that they are counted
//	o.Stats(ctx) // read the finished account of the run
//	o.Reset(ctx) // drop what is left and count from zero
//
// Stats, Drain and Reset travel over the child's standard input and output and
// not over its HTTP port, hence they work when that port is overloaded. They
// are net/rpc calls, chosen over a hand-written protocol because it already
// matches concurrent replies to their calls.
//
// # How the child ends
//
// The child ends when its standard input does. The kernel closes that pipe when
// the parent dies, however it dies and on every operating system, so no origin
// is left behind. It ignores the interrupt signal: Ctrl-C in a terminal reaches
// the whole process group, and the parent still has to ask for the counts of
// the run that it interrupted.
//
// The origin listens on a loopback address only.
package origin
