package metadata

import (
	"reflect"
	"slices"
)

// inheritFeeds completes every feed by the one it is like, and every table of into by its feed. It returns the feeds that
// could be completed.
func (l *loader) inheritFeeds(all []*feedYAML) []*feedYAML {
	byName := map[string]*feedYAML{}
	var known []string
	for _, y := range all {
		if y.Feed.set() && byName[y.Feed.Value] == nil {
			byName[y.Feed.Value] = y
			known = append(known, y.Feed.Value)
		}
	}
	const busy, broken, done = 1, 2, 3
	state := map[*feedYAML]int{}
	var complete func(y *feedYAML)
	complete = func(y *feedYAML) {
		if state[y] != 0 {
			return
		}
		state[y] = busy
		if !y.Like.set() {
			state[y] = done
			return
		}
		parent := byName[y.Like.Value]
		if parent == nil {
			state[y] = broken
			l.add(y.Like.Pos, "like: there is no feed %s%s", y.Like.Value, Meant(y.Like.Value, known))
			return
		}
		complete(parent)
		if state[parent] == busy {
			l.add(y.Like.Pos, "like: feed %s is in the end like itself", y.Feed.Value)
		}
		if state[y] = state[parent]; state[y] == busy {
			state[y] = broken
		}
		if state[y] == done {
			inherit(reflect.ValueOf(y).Elem(), reflect.ValueOf(parent).Elem())
			inheritInto(y, parent)
		}
	}
	for _, y := range all {
		complete(y)
	}
	all = slices.DeleteFunc(slices.Clone(all), func(y *feedYAML) bool { return state[y] != done })
	for _, y := range all {
		y.Into = slices.Clone(y.Into)
		for i := range y.Into {
			inherit(reflect.ValueOf(&y.Into[i].Value.rowsYAML).Elem(), reflect.ValueOf(&y.rowsYAML).Elem())
		}
	}
	return all
}

// inheritInto takes over the tables of parent, or for the tables y lists what parent says of them.
func inheritInto(y, parent *feedYAML) {
	if len(y.Into) == 0 {
		y.Into = slices.Clone(parent.Into)
		return
	}
	for i := range y.Into {
		for _, p := range parent.Into {
			if p.Key.Value == y.Into[i].Key.Value {
				inherit(reflect.ValueOf(&y.Into[i].Value).Elem(), reflect.ValueOf(p.Value))
			}
		}
	}
}

// inherit fills the keys of a YAML struct that were not written from another of the same type. Mappings are joined key by
// key.
func inherit(to, from reflect.Value) {
	for _, k := range keysOf(to.Type()) {
		if k.own || k.name == "into" {
			continue
		}
		dst, src := to.FieldByIndex(k.index), from.FieldByIndex(k.index)
		switch v := dst.Addr().Interface().(type) {
		case *[]entry[Text]:
			*v = join(*v, src.Interface().([]entry[Text]))
		case *[]entry[[]Text]:
			*v = join(*v, src.Interface().([]entry[[]Text]))
		case *Text:
			if !v.set() {
				dst.Set(src)
			}
		default:
			switch {
			case dst.Kind() == reflect.Struct:
				inherit(dst, src)
			case dst.IsNil():
				dst.Set(src)
			}
		}
	}
}

// join adds the entries of from that to does not have, before its own.
func join[T any](to, from []entry[T]) []entry[T] {
	var out []entry[T]
	for _, e := range from {
		if !slices.ContainsFunc(to, func(t entry[T]) bool { return t.Key.Value == e.Key.Value }) {
			out = append(out, e)
		}
	}
	return append(out, to...)
}
