package xml

// group is a compiled Group: where each of its fields' terms finds its value.
type group struct {
	fields  [][]source // by slot, in the order of fallback
	values  int        // value slots of a record
	counts  int
	joins   int
	globals int

	each  []match // the path of the record's element, if some of its predicates must wait; else nil
	late  []late  // terms that are looked up in kept nodes
	arena int     // where its nodes are kept, and when its records are known
	scope int     // number of steps of each to the element at whose end its records are known; 0 is the document
	kept  bool    // records need kept nodes

	rootGlobals []int // globals that are known once the root's start tag is: its attributes
}

// source is where a term's value is found when a row is given out.
type source struct {
	kind sourceKind
	at   int
}

type sourceKind uint8

const (
	fromValue  sourceKind = iota // a value of the record
	fromGlobal                   // a value of the document
	fromCount                    // a number of the record
	fromJoin                     // a joined value of the record
)

// late is a term that is looked up once the scope of the record is closed.
type late struct {
	to       source
	sep      string
	absolute bool
	up       int
	steps    []match
	attr     int // id of the attribute, -1: text
}

// match is a compiled step.
type match struct {
	deep   bool
	name   nameTest
	syms   []bool // by symbol: does the name match
	test   int    // predicates decided at the start tag; -1 none
	checks []wait // predicates on what stands in the element, in order
}

// wait is a predicate that must wait for the end of the element, or (position > 0) a position among those before it.
type wait struct {
	position int
	not      bool // of existence, or of the comparison
	differs  bool
	values   map[string]bool // nil: existence
	steps    []match
	attr     int
}

// state is what the automaton knows about an element: the mapped paths that lead to it.
type state struct {
	id    int
	edges []edge
	other *state           // for any other name; nil: nothing mapped below
	index map[string][]int // edges by local name, if there are many

	attrs   []attrName // attributes anybody wants, by their place in this state
	lookups []lookup
	checks  []check

	each  []eachMark // groups whose record this may be
	scope []int      // arenas whose groups' records in it are known once it ends
	keep  []keep
	text  bool // somebody wants the text
	quiet bool // nothing happens here

	start   []action
	startBy map[int][]action // by test of the element itself
	end     []action
	endBy   map[int][]action
}

type edge struct {
	local  string
	ns     int   // number of the namespace; anyNS
	except []int // with anyNS: namespaces that have an edge of their own
	sym    int32
	to     *state
}

const (
	anyNS     = -1
	unknownNS = -2 // of an element: one that no path names
)

type attrName struct {
	local string
	ns    int // anyNS; 0: no prefix
	id    int
}

// lookup finds the tests that hold because an attribute has a certain value.
type lookup struct {
	attr  int // place in state.attrs
	tests map[string][]int
}

// check is one predicate decided at the start tag, behind the predicates before it.
type check struct {
	id       int
	after    int // the test that must hold; -1 none
	attr     int // place in state.attrs; -1: a position
	not      bool
	differs  bool
	values   map[string]bool // nil: existence
	counter  int
	position map[int]int // number -> test
}

// need is a test that must hold for the element up levels above.
type need struct{ up, test int }

// action takes a value to the open record whose element is up levels above, or to the document.
type action struct {
	group int
	up    int // -1: a value of the document
	to    source
	sep   string
	attr  int // place in state.attrs; -1: text, or the element itself if it is counted
	needs []need
}

// keep says that groups want to keep the element until their records are known.
type keep struct {
	arena int
	scope bool // the records are known at the element's end
	text  bool
	attrs []int // places in state.attrs
}
