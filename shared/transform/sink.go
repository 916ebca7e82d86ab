package transform

import (
	"errors"
	"fmt"

	"medlake/shared/lake"
	"medlake/shared/transform/column"
)

// store adds v, which is not null, to a column, cast to its type. False if it does not fit.
func (f *frame) store(c *column.Column, v value) bool {
	if v.kind == text {
		return f.cast(c, v.text)
	}
	if v.kind == bad {
		return false
	}
	switch c.Type.Kind {
	case lake.String:
		c.AppendText(f.textOf(v))
		return true
	case lake.Long:
		if v = integerOf(f, []value{v}); v.kind == bad {
			return false
		}
		c.AppendInt(v.num)
		return true
	case lake.Double:
		if !v.isNumber() {
			return false
		}
		c.AppendFloat(v.asFloat())
		return true
	case lake.Decimal:
		v = toDecimal(v, c.Type.Precision, c.Type.Scale)
		if v.kind != decimal {
			return false
		}
	case lake.Date:
		if v.kind != date {
			return false
		}
	case lake.Timestamp:
		if v.kind != timestamp {
			return false
		}
	case lake.Boolean:
		if v.kind != boolean && (v.kind != long || v.num>>1 != 0) {
			return false
		}
		c.AppendBool(v.num == 1)
		return true
	}
	c.AppendInt(v.num)
	return true
}

// cast adds text, which is not empty, to a column.
func (f *frame) cast(c *column.Column, v []byte) bool {
	if c.Type.Kind != lake.Timestamp {
		return c.Append(v)
	}
	t, ok := column.Timestamp(v)
	if ok {
		c.AppendInt(f.utc(t))
	}
	return ok
}

// fits says why what an op gives can never be stored in a column of type t.
func fits(o op, t lake.Type) error {
	k := o.result()
	if c, ok := o.(constant); ok && k == text {
		if tmp := (column.Column{Type: t}); !tmp.Append(c.v.text) {
			return fmt.Errorf("%q is not a %s", c.v.text, t)
		}
	}
	number := t.Kind == lake.Long || t.Kind == lake.Double || t.Kind == lake.Decimal
	switch {
	case k == list:
		return errors.New("the expression gives a list: take one element, first(…) or join(…, \", \")")
	case k == timestamp && t.Kind == lake.Date:
		return errors.New("the column is a date: use day(…) in place of ts(…)")
	case k == date && t.Kind == lake.Timestamp:
		return errors.New("the column is a timestamp: use ts(…) in place of day(…)")
	case t.Kind == lake.String, k == text, k == unknown, k == null, kindOf(t.Kind) == k:
		return nil
	case t.Kind == lake.Boolean && k == long, number && (k == long || k == double || k == decimal):
		return nil
	}
	return fmt.Errorf("the column is a %s, but the expression gives a %s", t, kindNames[k])
}
