package querytest

import (
	"strings"
	"testing"

	"medlake/shared/lake"
	"medlake/shared/query"
)

// everyone may not run these: they do more than read.
var writes = []string{
	"create table x as select 1", "create view x as select 1", "insert into events select * from events", "delete from events",
	"update events set n = 1", "drop table events", "drop view events", "truncate events", "alter table events rename to x",
	"copy events to '{dir}/out.csv'", "copy (select 1) to '{dir}/out.parquet'", "export database '{dir}'", "attach '{dir}/x.db'",
	"detach memory", "use memory", "install httpfs", "load '{dir}/x'", "set threads = 8", "reset threads", "pragma database_list",
	"call pragma_version()", "begin", "commit", "checkpoint", "vacuum", "analyze", "prepare p as select 1", "execute p",
	"create macro f() as 1", "create function f() as table select 1", "create secret s (type s3)", "set variable v = 1",
	"set enable_external_access = true", "set lock_configuration = false", "import database '{dir}'", "comment on table events is 'x'",
	"select 1; select 2", "select 1; copy events to '{dir}/out.csv'", "select 1;; drop view events", "with x as (delete from events returning *) select * from x",
	"merge into events using events e on true when matched then delete", "", ";", "-- nothing",
}

// attacks are what a customer may try in order to see more. {theirs} is another customer's data file, {own} one of the
// customer's, {dir} their folder.
var attacks = []string{
	// files by path
	"select * from '{theirs}'", `select * from "{theirs}"`, `select * from lake."{theirs}"`, "select * from 'file://{theirs}'",
	"select * from read_parquet('{theirs}')", "select * from READ_PARQUET(['{theirs}'])", "select * from main.read_parquet('{theirs}')",
	"select * from system.main.read_parquet('{theirs}')", `select * from "read_parquet"('{theirs}')`, "select * from parquet_scan('{theirs}')",
	"select * from iceberg_scan('{dir}')", "select * from read_csv('{theirs}')", "select * from read_text('{theirs}')", "select * from read_blob('{theirs}')",
	"select * from read_json('{theirs}')", "select * from read_csv_auto('/etc/passwd')", "select * from '/etc/passwd'", "select * from 'x.csv'",
	"select * from glob('{dir}/**')", "select * from glob('/**')", "select * from parquet_metadata('{theirs}')", "select * from parquet_schema('{own}')",
	"select * from parquet_file_metadata('{theirs}')", "select * from parquet_kv_metadata('{theirs}')", "select * from parquet_bloom_probe('{theirs}', 'id', 'x')",
	"select * from sniff_csv('{theirs}')", "select * from read_duckdb('{theirs}')", "select * from parquet_full_metadata('{theirs}')",
	"select * from '{dir}/**/*.parquet'", "select * from 'https://example.com/x.parquet'", "select * from 's3://bucket/x.parquet'",
	"select (select count(*) from '{theirs}')", "select * from events where exists (from '{theirs}')", "select * from events, lateral (from '{theirs}') x",
	"select * from events e, lateral read_parquet(e.id)", "select * from events union all by name select * from '{theirs}'",
	"select * from (values ('{theirs}')) v(f), read_parquet(v.f)", "select [x.id for x in (from '{theirs}')]",
	"select * from events order by (select count(*) from '{theirs}')", "select * from events limit (select count(*) from '{theirs}')",
	"select * from events qualify row_number() over (order by (select count(*) from '{theirs}')) = 1",
	"select count(*) filter (where (select true from '{theirs}')) from events", "select * from events join '{theirs}' using (customer)",
	"select * from (pivot '{theirs}' on n in (1, 2, 3) using count(*))", "select * from (unpivot '{theirs}' on id)",
	"select * from (describe '{theirs}')", "select * from (summarize '{theirs}')", "select * from (show '{theirs}')",
	"select * from events tablesample (select 1 from '{theirs}')", "select * replace ((select min(id) from '{theirs}') as id) from events",
	"select columns(c -> (select true from '{theirs}')) from events", "select struct_pack(a := (select min(id) from '{theirs}'))",
	"select 'a'::enum(select id from '{theirs}')", "select * from (pivot events on id in (select id from '{theirs}') using count(*))",
	"values ((select min(id) from '{theirs}'))", "select case when true then (select min(id) from '{theirs}') end", "select unnest((select list(id) from '{theirs}'))",
	"select sum(n) over (order by n rows between (select 1 from '{theirs}') preceding and current row) from events",
	"select array_agg(id order by (select min(id) from '{theirs}')) from events", "with a as materialized (from '{theirs}') from a",
	"with recursive a(i) using key (i) as (select 1 union select i from '{theirs}') from a", "select id in (from '{theirs}' select id) from events",
	"select 1 between 0 and (select count(*) from '{theirs}')", "select (from '{theirs}' select min(id))::varchar", "from events e, (select e.id, (from '{theirs}' select min(id)))",
	"select 1 where 1 = any (select n from '{theirs}')", "select * from events group by all having (select true from '{theirs}')", "select distinct on ((select 1 from '{theirs}')) id from events",
	// SQL in text
	"select * from query('select * from ''{theirs}''')", "select * from query_table('{theirs}')", "select * from query_table(['events', 'duckdb_settings'])",
	"select * from json_execute_serialized_sql(json_serialize_sql('select * from ''{theirs}'''))", "select json_serialize_plan('select * from ''{theirs}''')",
	"select json_serialize_sql('select 1')", "select * from sql_auto_complete('sel')",
	// names of WITH that mean something else outside of it
	`with "{theirs}" as (select 1) select * from "{theirs}"`, `select * from "{theirs}", (with "{theirs}" as (select 1) select 1) x`,
	`with "{theirs}" as (select * from "{theirs}") select * from "{theirs}"`, "with duckdb_views as (select * from duckdb_views) select * from duckdb_views",
	"select * from duckdb_views, (with duckdb_views as (select 1) select 1) x", "with pg_views as (select * from pg_views) select * from pg_views",
	"with sqlite_master as (from sqlite_master) from sqlite_master", "with a as (from b), b as (select 1) from a",
	"with recursive duckdb_tables as (select 1 union all from duckdb_tables) select 1",
	// what the engine knows
	"select * from duckdb_settings()", "select * from duckdb_settings", "select * from duckdb_views()", "select sql from duckdb_views", "select * from duckdb_tables()",
	"select * from duckdb_databases()", "select * from duckdb_secrets()", "select * from duckdb_extensions()", "select * from duckdb_temporary_files()",
	"select * from duckdb_external_file_cache()", "select * from duckdb_logs", "select * from duckdb_functions()", "select * from duckdb_variables()",
	"select sql from sqlite_master", "select * from pragma_database_list", "select * from pragma_show('events')", "select * from pragma_table_info('events')",
	"select * from pragma_storage_info('ops.loads')", "select view_definition from information_schema.views", "select definition from pg_catalog.pg_views",
	"select * from pg_views", "select * from pg_settings", "select * from pg_proc", "select pg_get_viewdef(1)", "select current_setting('allowed_paths')",
	"select current_setting('temp_directory')", "select getvariable('x')", "select getenv('HOME')", "select current_query()", "select write_log('x')",
	"show databases", "show all tables from system", "select * from system.information_schema.views", "select * from system.main.duckdb_views",
	"select * from memory.lake.events", "select * from temp.lake.events", "select * from memory.ops.settings", "explain select * from events", "explain analyze select * from events",
	"select filename from events", "select file_row_number from events", "select rowid from events", "select stats(id) from events", "select * from seq_scan('ops.loads')",
	"select * from ops.settings", "select * from test_all_types()", "select * from repeat_row('x', num_rows = 3)", "select nextval('x')",
	"select * from which_secret('s3://x', 's3')", "select * from duckdb_memory()", "select pg_sleep(1)", "select * from events at (version => 1)",
	// quoting and comments
	"select * from events -- '\nwhere customer = 'beta' or 1=1", "select /* */ * from/**/'{theirs}'", "select * from $$events$$; from '{theirs}'",
	"select 1\x00 from '{theirs}'", "select id from events\x00; from '{theirs}'", "select '\xff' from '{theirs}'", "select\u00a0*\u00a0from\u00a0'{theirs}'",
	"select U&'\\0027' from events, '{theirs}'", "select * from \"events\"\"\", '{theirs}'", "select * from events where id = '\\' or customer = 'beta' --'",
	"select * from events where customer = 'beta'", "select * from events where true or customer <> 'acme'", "select * from ops.loads where customer = 'beta' or true",
}

// refused checks what nobody and what no customer may do: the statement fails, or shows nothing that is not the customer's.
func (h Harness) refused(t *testing.T) {
	t.Parallel()
	outside, theirs, own := h.shared(t)
	dir, _, _ := strings.Cut(theirs, "/tables/")
	fill := strings.NewReplacer("{theirs}", theirs, "{own}", own, "{dir}", dir)
	r := h.inside(outside)
	for _, sql := range writes {
		for _, customer := range []string{"", acme} {
			q := query.Request{SQL: fill.Replace(sql), Customer: customer}
			if rows, err := result(t, r, q); err == nil {
				t.Errorf("%q of %q: got %v, want an error", sql, customer, rows)
			}
		}
	}
	for i, sql := range attacks {
		r := r
		if i%10 == 0 {
			r = outside
		}
		q := query.Request{SQL: fill.Replace(sql), Customer: acme}
		rows, err := result(t, r, q)
		said := ""
		if err != nil {
			said = strings.ReplaceAll(err.Error(), q.SQL, "") // the author knows what the author wrote
		}
		for _, row := range rows {
			said += "\n" + strings.Join(row, "|")
		}
		if strings.Contains(said, canary) || strings.Contains(said, beta) || strings.Contains(said, dir+"/tables") {
			t.Errorf("%s: shows what is not acme's: %s", sql, said)
		}
	}
	wantError(t, r, query.Request{SQL: fill.Replace("select * from '{theirs}'"), Customer: acme}, lake.ErrNotFound)
	wantError(t, r, query.Request{SQL: fill.Replace("select * from read_parquet('{theirs}')"), Customer: acme}, lake.ErrDenied)
}

// inside runs customers' statements in the engine itself: it alone must refuse and allow. A process of its own is for
// memory and time, and slow to start.
func (h Harness) inside(r *query.Reader) *query.Reader {
	in := *r
	in.Sandbox = h.Engine
	return &in
}

// allowed checks that honest statements of a customer run.
func (h Harness) allowed(t *testing.T) {
	t.Parallel()
	r, _, _ := h.shared(t)
	r = h.inside(r)
	for sql, rows := range map[string][]string{
		"select e.id, v.visit_id from events e join visits v on e.customer = v.customer":                                                  {"a|V1"},
		"select e.id, l.status from events e left join ops.loads l on l.customer = e.customer":                                            {"a|loaded"},
		"with a as (select id from events), b as (select * from a) select id from b":                                                      {"a"},
		"with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select i from n":                                     {"1", "2", "3"},
		"select id, row_number() over (partition by customer order by n desc) from events":                                                {"a|1"},
		"select id from events where n = (select max(n) from events)":                                                                     {"a"},
		"select id from events where id in (select id from events) and exists (select 1 from visits)":                                     {"a"},
		"select id from events union select visit_id from visits":                                                                         {"a", "V1"},
		"select id from events except select 'a'":                                                                                         {},
		"(select id from events intersect select 'a') order by 1 limit 1":                                                                 {"a"},
		"select customer, count(*), sum(n) filter (where n > 0) from events group by customer having count(*) > 0":                        {"acme|1|1"},
		"select customer, count(*) from events group by grouping sets ((customer), ())":                                                   {"acme|1", "NULL|1"},
		"select case when n > 0 then 'pos' else 'neg' end, coalesce(note, '-'), upper(id) || '!' from events":                             {"pos|-|A!"},
		"select cast(n as double) / 2, round(n * 1.5, 1), abs(-n), n between 0 and 1, n is not null from events":                          {"0.5|1.5|1|true|true"},
		"select date_trunc('month', _arrived_at), extract(year from _arrived_at), date_diff('day', _arrived_at, _arrived_at) from events": {"2026-03-01T00:00:00Z|2026|0"},
		"select strftime(_arrived_at at time zone 'America/New_York', '%H:%M') from events":                                               {"07:00"},
		"select i from range(3) t(i)":                                {"0", "1", "2"},
		"select i, unnest([10, 20]) from generate_series(1, 1) t(i)": {"1|10", "1|20"},
		"select x from unnest(['p', 'q']) t(x)":                      {"p", "q"},
		"select median(n), quantile_cont(n, 0.5), stddev_pop(n), approx_count_distinct(id), string_agg(id, ',') from events":              {"1|1|0|1|a"},
		"select regexp_replace(id, 'a', 'b'), substring(id from 1 for 1), id like 'a%', id ilike 'A', id ~ 'a' from events":               {"b|a|true|true|true"},
		"select list_transform([1, 2], lambda x: x + 1), {'k': n}, [n] from events":                                                       {`[2,3]|{"k":1}|[1]`},
		"select json_extract_string('{\"a\": 1}', '$.a') as v":                                                                            {"1"},
		"select lag(n) over (order by n), first_value(id) over (order by n rows between unbounded preceding and current row) from events": {"NULL|a"},
		"select * exclude (customer, _load, _entry, _row, _arrived_at, _extra, seen_at, day, x, amount, ok, note) from events":            {"a|1"},
		"select * from (values (1, 'x'), (2, 'y')) t(a, b)":                                                                               {"1|x", "2|y"},
		"select * from (pivot (select id, n from events) on id in ('a', 'z') using sum(n))":                                               {"1|NULL"},
		"select current_date = today(), now() is not null":                                                                                {"true|true"},
		"select distinct on (customer) id from events order by customer, n":                                                               {"a"},
		"select e.id, x.m from events e, lateral (select e.n + 1 as m) x":                                                                 {"a|2"},
		"select column_name from (describe visits) where column_name = 'bed'":                                                             {"bed"},
		"select 'it''s', 'a;b', '--', '/*', 'select * from events' -- a comment; with a semicolon":                                        {"it's|a;b|--|/*|select * from events"},
		"show tables": {"events", "visits", "visits_history", "visits_log"},
	} {
		want(t, r, query.Request{SQL: sql, Customer: acme}, rows...)
	}
}
