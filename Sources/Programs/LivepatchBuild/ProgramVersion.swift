/// Of the program, not of Xen. Each payload says which one made it.
package let programVersion = "0.1.0"
