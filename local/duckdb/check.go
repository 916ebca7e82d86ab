package duckdb

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"medlake/shared/lake"
	"medlake/shared/query"
)

// tree is what the check found in a statement's parse tree.
type tree struct {
	tables []reference
	with   []string // names that WITH defines, in lower case
	lists  bool     // asks for the list of tables
}

// reference is a table named by a statement, as written.
type reference struct{ catalog, schema, name string }

// id is how the catalog names the table.
func (r reference) id() string {
	schema := r.schema
	if schema == "" {
		schema = query.Namespace
	}
	return strings.ToLower(schema + "." + r.name)
}

// informationSchema is what anyone may ask about tables: the other views show how views are defined.
var informationSchema = []string{"information_schema.tables", "information_schema.columns", "information_schema.schemata"}

// own are the beginnings of the names of DuckDB's own tables about tables.
var own = regexp.MustCompile(`^(information_schema\.|pg_catalog\.|(lake|main)\.(duckdb|sqlite|pg)_)`)

func (t *tree) names() query.Names {
	n := query.Names{All: t.lists}
	for _, r := range t.tables {
		n.Tables = append(n.Tables, r.id())
		n.All = n.All || own.MatchString(r.id())
	}
	slices.Sort(n.Tables)
	n.Tables = slices.Compact(n.Tables)
	return n
}

// A checker walks a parse tree. Strict refuses all that is not known to be harmless: what a later DuckDB adds is refused
// until somebody allows it.
type checker struct {
	tree
	strict bool
}

// Parts of a parse tree that are allowed: they read nothing themselves, or are looked at below.
var (
	allowedNodes = words("SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE " +
		"BASE_TABLE SUBQUERY JOIN EMPTY EXPRESSION_LIST TABLE_FUNCTION PIVOT SHOW_REF " +
		"ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING")
	allowedClasses = words("BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF " +
		"OPERATOR POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW")
	allowedTableFunctions = words("range unnest generate_series")
	plainName             = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

//go:embed functions.txt
var functionList string

// allowedFunctions are the functions of functions.txt that do not stand after "refused".
var allowedFunctions = func() map[string]bool {
	allowed, _, _ := strings.Cut(functionList, "\nrefused\n")
	return words(allowed)
}()

func words(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

func denied(format string, args ...any) error {
	return &query.Error{Kind: lake.ErrDenied, Message: fmt.Sprintf(format, args...)}
}

// walk looks at one value of the tree and all below it.
func (c *checker) walk(v any) error {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if err := c.walk(x); err != nil {
				return err
			}
		}
	case map[string]any:
		below, err := c.object(v)
		if err != nil || !below {
			return err
		}
		for _, x := range v {
			if err := c.walk(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// object checks one object; below says whether to look at what it holds.
func (c *checker) object(v map[string]any) (below bool, err error) {
	if entries, ok := v["cte_map"].(map[string]any); ok {
		if err := c.withNames(entries); err != nil {
			return false, err
		}
	}
	kind, isNode := v["type"].(string)
	if class, ok := v["class"].(string); ok {
		if c.strict && !allowedClasses[class] {
			return false, denied("%s is not allowed", strings.ToLower(class))
		}
		switch class {
		case "CONSTANT":
			return false, nil
		case "FUNCTION", "WINDOW":
			return true, c.function(v)
		}
		return true, nil
	}
	if !isNode {
		return true, nil
	}
	if c.strict && !allowedNodes[kind] && !strings.HasSuffix(kind, "_TYPE_INFO") {
		return false, denied("%s is not allowed", strings.ToLower(kind))
	}
	switch kind {
	case "BASE_TABLE":
		c.tables = append(c.tables, reference{text(v, "catalog_name"), text(v, "schema_name"), text(v, "table_name")})
	case "TABLE_FUNCTION":
		f, _ := v["function"].(map[string]any)
		name := strings.ToLower(text(f, "function_name"))
		if c.strict && !allowedTableFunctions[name] {
			return false, denied("the table function %s is not allowed: select from tables, range, generate_series or unnest", name)
		}
		c.lists = c.lists || strings.HasPrefix(name, "duckdb_") || strings.HasPrefix(name, "pragma_")
	case "SHOW_REF":
		return true, c.show(v)
	}
	return true, nil
}

// function refuses calls that are not on the list.
func (c *checker) function(v map[string]any) error {
	name := strings.ToLower(text(v, "function_name"))
	schema := strings.ToLower(text(v, "schema"))
	if !c.strict {
		return nil
	}
	if name != "" && !allowedFunctions[name] && !allowedTableFunctions[name] {
		return denied("the function %s is not allowed", name)
	}
	if schema != "" && schema != "main" && schema != "pg_catalog" || text(v, "catalog") != "" && text(v, "catalog") != "system" {
		return denied("the function %s is not allowed", name)
	}
	return nil
}

// show allows DESCRIBE and SUMMARIZE of a query or table, and the list of tables.
func (c *checker) show(v map[string]any) error {
	if _, ok := v["query"]; ok {
		return nil
	}
	switch name := strings.Trim(text(v, "table_name"), `"`); name {
	case "tables", "__show_tables_expanded":
		c.lists = true
	default:
		if c.strict {
			return denied("SHOW %s is not allowed: try SHOW TABLES or DESCRIBE a table", name)
		}
	}
	return nil
}

// withNames notes the names that WITH defines. Outside of its WITH such a name means whatever DuckDB finds: a plain name is
// no file, and Run refuses the names of DuckDB's own tables.
func (c *checker) withNames(ctes map[string]any) error {
	entries, _ := ctes["map"].([]any)
	for _, e := range entries {
		m, _ := e.(map[string]any)
		name := text(m, "key")
		if c.strict && !plainName.MatchString(name) {
			return denied("a name after WITH may hold letters, digits and _ only")
		}
		c.with = append(c.with, strings.ToLower(name))
	}
	return nil
}

func text(v map[string]any, key string) string { s, _ := v[key].(string); return s }

// parse has DuckDB parse the statement, without binding or running it, and checks the tree.
func (s *statement) parse() error {
	if !utf8.ValidString(s.SQL) || strings.ContainsRune(s.SQL, 0) { // a C string ends there, so that less would run than was checked
		return &query.Error{Kind: lake.ErrInvalid, Message: "the statement is not plain UTF-8 text"}
	}
	sql := s.SQL
	if s.Customer == "" {
		sql = explained(sql)
	}
	var out string
	if err := s.conn.QueryRowContext(s.ctx, "SELECT json_serialize_sql(?::VARCHAR, skip_null := true, skip_empty := true)::VARCHAR", sql).Scan(&out); err != nil {
		return err
	}
	var doc struct {
		Error      bool   `json:"error"`
		Type       string `json:"error_type"`
		Message    string `json:"error_message"`
		Statements []any  `json:"statements"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		return fmt.Errorf("read parse tree: %w", err)
	}
	switch {
	case doc.Error && doc.Type == "not implemented":
		return denied("only a SELECT is allowed here")
	case doc.Error:
		return &query.Error{Kind: lake.ErrInvalid, Message: doc.Message}
	case len(doc.Statements) != 1:
		return denied("exactly one SELECT is allowed here, not %d statements", len(doc.Statements))
	}
	c := &checker{strict: s.Customer != ""}
	if err := c.walk(doc.Statements[0]); err != nil {
		return err
	}
	s.tree = c.tree
	return nil
}

var explainWord = regexp.MustCompile(`(?i)^\s*EXPLAIN(\s+ANALYZE)?\s`)

// explained is the statement that an EXPLAIN explains, or the statement itself.
func explained(sql string) string { return explainWord.ReplaceAllString(sql, "") }
