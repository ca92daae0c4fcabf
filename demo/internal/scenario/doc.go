// Package scenario plays modelled services and callers against the policies of
// package limiter, in virtual time: discrete events, no goroutine, no clock, and
// the same result to the byte for the same seed. A second of a busy service takes
// about a millisecond, so a policy can be judged on hundreds of worlds, and every
// judgement can be repeated.
//
// It drives the pure Policy interface and plays the engine itself (gate.go):
// callers queue, a policy is asked, told of starts, and told of outcomes.
//
//	World     what there is and how it changes (world.go, named.go, random.go)
//	Run       one world under one policy with one seed (lab.go, simulation.go)
//	Oracle    the best that a fixed limit could have done (oracle.go)
//	Lab       runs many, in parallel, and grades each against the oracle (lab.go)
//	Limiter   a real one, ours or a rival's, in place of a policy (real.go, bubble.go)
//
// The quickest way in, with any policy:
//
//	lab := scenario.NewLab()
//	mine := scenario.Maker{Name: "mine", New: func(s scenario.Setup) limiter.Policy { ... }}
//	w, _ := scenario.Named("steady") // or scenario.Random(seed, i), scenario.Shared(seed, i)
//	result := lab.Run(w, mine, 1)
//
// Summarise, Rows and Judge sum up what many runs have shown. A Lab keeps what it
// knows of a World by its address, so make each world once and reuse it.
package scenario
