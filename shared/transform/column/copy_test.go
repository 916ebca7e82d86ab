package column

import (
	"bytes"
	"math"
	"testing"

	"medlake/shared/lake"
)

// TestValuesAreCopiedAndSpelled: a copied value is the same, and each spelling is that of one value.
func TestValuesAreCopiedAndSpelled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind lake.Kind
		fill func(c *Column)
	}{
		{lake.String, func(c *Column) { c.AppendString(""); c.AppendString("a"); c.AppendNull(); c.AppendString("ab") }},
		{lake.Long, func(c *Column) { c.AppendInt(-1); c.AppendInt(0); c.AppendNull(); c.AppendInt(math.MaxInt64) }},
		{lake.Date, func(c *Column) { c.AppendInt(-1); c.AppendInt(0); c.AppendNull(); c.AppendInt(20_000) }},
		{lake.Double, func(c *Column) {
			c.AppendFloat(math.Copysign(0, -1))
			c.AppendFloat(0)
			c.AppendNull()
			c.AppendFloat(1.5)
		}},
		{lake.Boolean, func(c *Column) { c.AppendBool(false); c.AppendNull(); c.AppendBool(true) }},
	} {
		from, to := Column{Type: lake.Type{Kind: tt.kind}}, Column{Type: lake.Type{Kind: tt.kind}}
		tt.fill(&from)
		values := from.Len() - from.Nulls
		var spelled [][]byte
		for i := range values {
			to.AppendFrom(&from, i)
			spelled = append(spelled, from.Spell(nil, i))
			if got := to.Spell([]byte("x"), i); !bytes.Equal(got, append([]byte("x"), spelled[i]...)) {
				t.Errorf("kind %d: value %d is spelled %x, its copy %x", tt.kind, i, spelled[i], got)
			}
			for j := range i {
				if bytes.HasPrefix(spelled[i], spelled[j]) || bytes.HasPrefix(spelled[j], spelled[i]) {
					t.Errorf("kind %d: values %d and %d read alike", tt.kind, j, i)
				}
			}
		}
		if to.Len() != values || to.Nulls != 0 {
			t.Errorf("kind %d: %d values, %d nulls after copying %d", tt.kind, to.Len(), to.Nulls, values)
		}
	}
}
