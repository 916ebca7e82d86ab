package main

import "slices"

// checks are all there are, in the order in which they run. Each part keeps its own in a file of its own.
var checks = slices.Concat(
	storeChecks,
	manyChecks,
	rightsChecks,
	terraformChecks,
	monitoringChecks,
)
