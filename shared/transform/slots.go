package transform

// slotsOf lists the source fields an op reads.
func slotsOf(o op) []int {
	switch o := o.(type) {
	case field:
		return []int{o.slot}
	case fieldIs:
		return []int{o.slot}
	case *versus:
		return slotsOf(o.of)
	case *moment:
		return slotsOf(o.of)
	case *call:
		return slotsOfAll(o.args)
	case both:
		return slotsOfAll([]op{o.left, o.right})
	case either:
		return slotsOfAll([]op{o.left, o.right})
	case negation:
		return slotsOf(o.of)
	case choice:
		return slotsOfAll([]op{o.cond, o.yes, o.no})
	case firstOf:
		return slotsOfAll(o)
	case *member:
		return slotsOf(o.of)
	case *virtual:
		return slotsOfAll(o.inputs)
	}
	return nil
}

func slotsOfAll(ops []op) []int {
	var out []int
	for _, o := range ops {
		out = append(out, slotsOf(o)...)
	}
	return out
}

// ways lists the sets of fields from which a column can be worked out: one for every alternative of a coalesce.
func ways(o op) [][]int {
	if first, ok := o.(firstOf); ok {
		var out [][]int
		for _, a := range first {
			out = append(out, slotsOf(a))
		}
		return out
	}
	return [][]int{slotsOf(o)}
}
