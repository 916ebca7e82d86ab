package maintain

import "context"

type proofs struct{}

func (w *work) clean(context.Context, *Table) error { return nil }
