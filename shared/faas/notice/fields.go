package notice

import (
	"encoding/base64"
	"encoding/json"
)

// fields is a JSON object. encoding/json matches the names of struct fields without regard to case, and here Type and type
// are of different shapes.
type fields map[string]json.RawMessage

func (f fields) has(name string) bool { _, ok := f[name]; return ok }

// text is a string field; empty if it is none.
func (f fields) text(name string) string {
	var s string
	if json.Unmarshal(f[name], &s) != nil {
		return ""
	}
	return s
}

// inner is a field that is an object; empty if it is none.
func (f fields) inner(name string) fields {
	var inner fields
	if json.Unmarshal(f[name], &inner) != nil {
		return nil
	}
	return inner
}

// data is what a CloudEvent carries: JSON, JSON in a string, or base64.
func (f fields) data() ([]byte, error) {
	if f.has("data_base64") {
		data, err := base64.StdEncoding.DecodeString(f.text("data_base64"))
		if err != nil {
			return nil, unknown("data is no base64")
		}
		return data, nil
	}
	if s := f.text("data"); s != "" {
		return []byte(s), nil
	}
	return f["data"], nil
}
