import XenVersions

/// The functions and variables of a running hypervisor, and how one leads to another.
///
/// It is made from machine code and data alone. An indirect call is taken as possible wherever the address of its target is taken, or the
/// pointer is read. So there are links that never come true, but a function without a way to it has none.
package struct CallGraph: Sendable {
    /// A function, a piece of assembly code, or a variable or constant.
    package struct Place: Sendable, Equatable {
        package var name: String
        /// As in the hypervisor's symbol table: `kernel.c`, `common/kernel.c`. Nil for a global.
        package var file: String?
        package var address: UInt64
        /// In bytes.
        package var size: UInt64
        package var isCode: Bool
        /// Whether the hypervisor frees it at the end of booting.
        package var isBoot: Bool
        /// Whether the code has no size of its own in the symbol table, so that it may go on in what follows.
        var mayFallThrough = false
        /// Where its code is: the replacement's place, if a payload replaces the function.
        var code: Range<UInt64>
        /// All its names, without files.
        package var names: Set<String>
    }

    /// How a place leads to another one.
    package enum Link: Sendable, Equatable {
        /// Code jumps there, calls it, or goes on there.
        case calls
        /// Code reads a pointer from a variable, and may call what it leads to.
        case through(variable: String)
        /// Code takes the address of a function.
        case takes
        /// Code takes the address of data.
        case uses
        /// Code takes the address of a variable that boot code put pointers into, and may call what they lead to.
        case usesFilled
        /// Data has the address in it, or gets it from the named place when the hypervisor boots.
        case holds(from: String?)
        /// Code hands it to a function that calls it on an occasion.
        case registers(Occasion, with: String)
    }

    package struct Edge: Sendable, Equatable {
        package var to: Int
        package var link: Link
    }

    package internal(set) var places: [Place]
    /// For each place, where it leads.
    package internal(set) var edges: [[Edge]]

    /// The function at an address, or the one that a payload replaced it with; nil if none begins there.
    package func function(at address: UInt64) -> Int? { places.firstIndex { $0.isCode && ($0.address == address || $0.code.lowerBound == address) } }
}
