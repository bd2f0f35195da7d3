import PayloadProof

extension BuildReport {
    /// What the proof of the payload showed.
    package struct Proof: Sendable, Equatable, Codable {
        /// Something that had to be believed.
        package struct Trusted: Sendable, Equatable, Codable {
            /// A stable identifier, such as `variable`.
            package var kind: String
            package var name: String
            package var evidence: String
        }

        /// Something that is wrong, or that can't be shown to be right.
        package struct Failure: Sendable, Equatable, Codable {
            /// A stable identifier, such as `reference`.
            package var kind: String
            /// The function, variable or section concerned.
            package var subject: String
            /// From the start of the subject.
            package var offset: Int?
            package var message: String
        }

        package var functions: Int
        /// The number of fields with an address or a distance.
        package var references: Int
        package var tableEntries: Int
        /// The number of variables of the hypervisor that the payload's code uses.
        package var hypervisorVariables: Int
        package var trusted: [Trusted]
        package var failures: [Failure]

        package init(
            functions: Int, references: Int, tableEntries: Int, hypervisorVariables: Int, trusted: [Trusted] = [], failures: [Failure] = []
        ) {
            self.functions = functions
            self.references = references
            self.tableEntries = tableEntries
            self.hypervisorVariables = hypervisorVariables
            self.trusted = trusted
            self.failures = failures
        }

        package init(_ proof: PayloadProof.Proof) {
            self.init(
                functions: proof.functions, references: proof.references, tableEntries: proof.tableEntries, hypervisorVariables: proof.hypervisorVariables,
                trusted: proof.trusted.map { Trusted(kind: $0.kind.rawValue, name: $0.name, evidence: $0.evidence) },
                failures: proof.failures.map { Failure(kind: $0.kind.rawValue, subject: $0.subject, offset: $0.offset, message: $0.message) })
        }
    }
}
