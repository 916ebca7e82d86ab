package pbkdf2

import "golang.org/x/sys/cpu"

// wide says that sixteen lanes can run at once.
var wide = cpu.X86.HasAVX512F

//go:noescape
func chains16(l *lanes, iterations int)

func (s *lanes) run(iterations int) { chains16(s, iterations) }
