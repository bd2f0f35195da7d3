import Diagnostics
import Report

/// Diagnostics that the catalogue does not describe.
package struct UncataloguedDiagnostics: Error, CustomStringConvertible {
    package var description: String
}

extension Collection where Element == Diagnostic {
    /// Holds what a stage reported against the catalogue.
    ///
    /// - Throws: `UncataloguedDiagnostics` when a severity is not one of the identifier's.
    package func requireCatalogued() throws(UncataloguedDiagnostics) {
        let complaints = compactMap { DiagnosticCatalogue.complaint(about: $0) }
        if !complaints.isEmpty { throw UncataloguedDiagnostics(description: complaints.joined(separator: "\n")) }
    }
}
