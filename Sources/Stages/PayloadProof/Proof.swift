/// The result of a proof: what was shown, what had to be believed, and what is wrong.
package struct Proof: Sendable, Equatable {
    /// Something that neither the objects nor the hypervisor show.
    package struct Trusted: Sendable, Equatable {
        package enum Kind: String, Sendable, Equatable, Codable {
            /// This variable of the hypervisor is the one that the patched source means.
            case variable
            /// The payload's variable is a new one, although the hypervisor has one of that name.
            case newVariable = "new-variable"
            /// A constant of the hypervisor stands for the object's: it has the same content.
            case constant
            /// The hypervisor knows only the end of a file's name.
            case fileName = "file-name"
            /// The first bytes of this function become NOPs, because the user wants it.
            case nops
            /// It differs from the original, is not in the payload, and nobody says why.
            case leftOut = "left-out"
        }

        package var kind: Kind
        /// As in the hypervisor's own symbol table, or in the object.
        package var name: String
        /// Why it is believed, in a few words.
        package var evidence: String

        package init(_ kind: Kind, _ name: String, evidence: String) {
            self.kind = kind
            self.name = name
            self.evidence = evidence
        }
    }

    /// Functions of the payload, with cold parts and copies, whose every byte is explained.
    package var functions = 0
    /// Fields that hold an address or a distance, each with the value that it must have.
    package var references = 0
    /// Entries of special tables, each at the function and the offset that the object says.
    package var tableEntries = 0
    /// Variables of the hypervisor that the payload's code uses.
    package var hypervisorVariables = 0
    /// In the order in which they were found.
    package var trusted: [Trusted] = []
    /// Empty for a payload that means what its objects say.
    package var failures: [ProofFailure] = []

    package init() {}

    package var holds: Bool { failures.isEmpty }
}

/// One thing about a payload that is wrong, or that can't be shown to be right.
package struct ProofFailure: Sendable, Equatable {
    package enum Kind: String, Sendable, Equatable, Codable, CaseIterable {
        /// A byte outside all fields is not the object's.
        case bytes
        /// A field leads to another place than the object's relocation.
        case reference
        /// A reference could mean several things, and they lie at different places.
        case ambiguous
        /// New code refers to the middle of a function, and would get into its old version.
        case middleOfFunction = "middle-of-function"
        /// New code uses what the hypervisor frees at the end of booting.
        case bootCode = "boot-code"
        /// A variable has two places, or is in the payload although the hypervisor has it.
        case variable
        /// An entry of a special table is missing, or there is one too many.
        case tableEntry = "table-entry"
        /// An entry of the functions section does not name a function of the hypervisor, or its new code is not that of the object.
        case function
        /// Nothing explains some bytes of the payload.
        case unexplained
        /// It differs from the original, but is neither in the payload nor in a diagnostic.
        case leftOut = "left-out"
        /// The proof does not know what something in an object means.
        case unknown
    }

    package var kind: Kind
    /// The function, variable or section concerned, as its object or the payload has it.
    package var subject: String
    /// From the start of the subject, in bytes; nil when the whole of it is concerned.
    package var offset: Int?
    /// What is wrong, in one sentence without a full stop.
    package var reason: String

    package init(_ kind: Kind, _ subject: String, at offset: Int? = nil, _ reason: String) {
        self.kind = kind
        self.subject = subject
        self.offset = offset
        self.reason = reason
    }

    /// One sentence that names the place: `'foo' at byte 12: it leads to …`.
    package var message: String { "'\(subject)'\(offset.map { " at byte \($0)" } ?? ""): \(reason)" }
}
