/// The version of this program, not of Xen. Each payload records which version made it.
package let programVersion = "0.1.0"
