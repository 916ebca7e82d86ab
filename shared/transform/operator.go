package transform

// binaryOperators work on values that are not null, except == and !=.
var binaryOperators = map[string]apply{
	"==": func(_ *frame, a []value) value { return boolOf(equal(a[0], a[1])) },
	"!=": func(_ *frame, a []value) value { return boolOf(!equal(a[0], a[1])) },
	"<":  ordering(orders["<"]),
	"<=": ordering(orders["<="]),
	">":  ordering(orders[">"]),
	">=": ordering(orders[">="]),
	"+":  arithmetic('+'),
	"-":  arithmetic('-'),
	"*":  arithmetic('*'),
	"/":  arithmetic('/'),
	"%":  arithmetic('%'),

	"contains":   textTest(containsText),
	"startsWith": textTest(startsWith),
	"endsWith":   textTest(endsWith),
}

// orders says for which outcome of a comparison an operator holds.
var orders = map[string]func(int) bool{
	"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
	">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
}

func ordering(holds func(int) bool) apply {
	return func(_ *frame, a []value) value {
		c, ok := compare(a[0], a[1])
		if !ok {
			return value{kind: bad}
		}
		return boolOf(holds(c))
	}
}

func arithmetic(operator byte) apply {
	return func(f *frame, a []value) value { return calculate(f, operator, a[0], a[1]) }
}
