package metadata

import (
	"fmt"
	"slices"
	"strings"
)

// isIdentifier reports whether s can stand in an expression: a letter or _, then letters, digits and _.
func isIdentifier(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// isName reports whether s can name a feed, table, column, check or reference: lower case, starting with a letter.
func isName(s string) bool {
	return isIdentifier(s) && s == strings.ToLower(s) && s[0] != '_'
}

// Meant ends a fault's sentence with the known word that looks most like the wrong one, or with the list of all if it is
// short.
func Meant(word string, known []string) string {
	if c := Closest(word, known); c != "" || len(known) == 0 || len(known) > 20 {
		return c
	}
	known = slices.Clone(known)
	slices.Sort(known)
	return ": known are " + strings.Join(slices.Compact(known), ", ")
}

// Closest ends a fault's sentence with the known word that looks most like the wrong one; empty if none does.
func Closest(word string, known []string) string {
	best, distance := "", len(word)/3+2
	for _, k := range known {
		if d := edits(strings.ToLower(word), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %s?", best)
}

// either lists words: a, b or c.
func either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// edits counts the characters to insert, delete, replace or swap with a neighbour that turn a into b; limit or more is
// returned as limit.
func edits(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 64 {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}
