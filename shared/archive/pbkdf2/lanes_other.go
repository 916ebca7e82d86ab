//go:build !amd64

package pbkdf2

const wide = false

func (*lanes) run(int) {}
