package main

import "syscall"

// dieWithUs has the kernel end a process when the runner dies and cannot.
func dieWithUs(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
