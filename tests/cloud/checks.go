package main

import "slices"

// checks are all there are, in the order in which they run as far as they can: first those that take long, and wait for others
// to leave what they have for themselves. Each part keeps its own in a file of its own.
var checks = slices.Concat(
	terraformChecks,
	manyChecks,
	storeChecks,
	rightsChecks,
	trinoChecks,
	monitoringChecks,
)
