import Diagnostics
import XenSource

/// Why a function as compiled here probably differs from the running one, judged by how both were built.
package struct LikelyCause: Sendable, Equatable {
    package enum Kind: String, Sendable, Equatable, Codable {
        case compiler, configuration, flags, source, payload, unknown
    }

    package var kind: Kind
    /// What is known about the cause, without a full stop: it completes the message about the function.
    package var reason: String
    /// What to do about it.
    package var help: String

    /// Compiler options that name places or choose what debug information contains. They do not change the code.
    private static let harmless = [
        "-fdebug-prefix-map", "-ffile-prefix-map", "-fmacro-prefix-map", "-g", "-fvar-tracking", "-fno-var-tracking", "-ffunction-sections",
        "-fdata-sections", "-fvisibility", "-imultiarch",
    ]

    /// - Parameters:
    ///   - running: how the hypervisor was built.
    ///   - here: how the original was built here.
    package init(of unequal: UnequalOriginal, running: BuildTraits = BuildTraits(), here: BuildTraits = BuildTraits()) {
        let compilers = here.compilers.subtracting(running.compilers)
        let options = here.configuration.flatMap { running.configuration?.describedDifferences(from: $0) } ?? []
        let flags = Self.differentFlags(running.flags[unequal.source], here.flags[unequal.source])
        if let payload = unequal.payload {
            kind = .payload
            reason = "payload \(payload) replaces it, and was made from another source"
            help = "give --applied-patch all patches that the applied payloads were made from, in their order"
        } else if !running.compilers.isEmpty, !compilers.isEmpty {
            kind = .compiler
            reason =
                "another compiler made the hypervisor: \(running.compilers.sorted().joined(separator: ", ")); here it is \(compilers.sorted().joined(separator: ", "))"
            help = "set CC to the hypervisor's compiler"
        } else if !options.isEmpty {
            kind = .configuration
            reason = "the hypervisor has another configuration: \(options.listed(atMost: 4))"
            help = "give the hypervisor's configuration with -c"
        } else if !flags.isEmpty {
            kind = .flags
            reason = "the hypervisor was compiled with other flags: \(flags.joined(separator: ", "))"
            help = "give the variables that its make was given: --make EXTRA_CFLAGS_XEN_CORE='FLAGS', for example"
        } else if unequal.otherFunctions > 0 {
            kind = .source
            let (equal, all) = (unequal.otherFunctionsEqual, unequal.otherFunctions)
            if equal == all {
                reason = "all \(all) other functions of \(unequal.objectName) are the same in the hypervisor: the source of this one differs"
            } else if equal == 0 {
                reason =
                    "none of the \(all) other functions of \(unequal.objectName) is the same in the hypervisor either: the source differs, or how it was compiled"
            } else {
                reason = "\(equal) of the \(all) other functions of \(unequal.objectName) are the same in the hypervisor: the source differs"
            }
            help = Self.exactSource
        } else if !running.compilers.isEmpty, running.configuration != nil, here.configuration != nil {
            kind = .source
            reason = "compiler and configuration are those of the hypervisor: the source differs"
            help = Self.exactSource
        } else {
            kind = .unknown
            reason = "it is the only function of \(unequal.objectName), and nothing shows how the two were built"
            help = "give the source, the configuration (-c), the compiler (CC) and the variables of make (--make) that the hypervisor was built with"
        }
    }

    private static let exactSource =
        "give the source that the hypervisor was built from, with all its patches; and the variables that its make was given, if any, with --make"

    private static func differentFlags(_ there: Set<String>?, _ here: Set<String>?) -> [String] {
        guard let there, let here else { return [] }
        func counts(_ flag: String) -> Bool { !harmless.contains { flag.hasPrefix($0) } }
        return there.subtracting(here).filter(counts).sorted().map { "\($0) there only" }
            + here.subtracting(there).filter(counts).sorted().map { "\($0) here only" }
    }
}

extension UnequalOriginal {
    func diagnostic(_ cause: LikelyCause, isTrusted: Bool) -> Diagnostic {
        let runs = payload.map { "payload \($0) has" } ?? "the hypervisor runs"
        let subject = isReplaced ? "'\(name)'" : "'\(name)', which the patch leaves alone,"
        return Diagnostic(
            .originalDiffers, isTrusted ? .warning : .error, symbol: name, location: location,
            message: "\(subject) as compiled here is not what \(runs): \(difference). \(cause.reason.prefix(1).uppercased())\(cause.reason.dropFirst())",
            help: "\(cause.help); --trust-source goes on anyway")
    }
}
