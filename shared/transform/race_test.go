//go:build race

package transform_test

const raced = true // pools drop things at random then
