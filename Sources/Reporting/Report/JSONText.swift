import Diagnostics
import FoundationEssentials

/// A report that can't be written as, or read from, JSON.
package struct JSONTextError: ExplainedError, Equatable {
    package var subject: String
    package var reason: String

    package var message: String { "\(subject): \(reason)" }
    package var exitCode: ExitStatus { .internalFault }
}

/// JSON as all commands write it: keys sorted, indented, slashes not escaped, one line feed at the end. So two reports
/// can be compared line by line.
package enum JSONText {
    package static func encode(_ value: some Encodable, subject: String = "report") throws(JSONTextError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
        } catch {
            throw JSONTextError(subject: subject, reason: "cannot be written as JSON: \(error)")
        }
    }

    package static func decode<T: Decodable>(
        _ type: T.Type, from bytes: [UInt8], subject: String = "report"
    ) throws(JSONTextError) -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw JSONTextError(subject: subject, reason: "is not the JSON that was expected: \(error)")
        }
    }
}
