// Command hello stands for the functions where their size does not matter.
package main

func main() { println("hello") }
