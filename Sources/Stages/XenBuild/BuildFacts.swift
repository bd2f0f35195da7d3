/// The texts about its own build that a hypervisor holds: the macros of the generated header `xen/compile.h`.
///
/// Make writes them from `xen/include/xen/compile.h.in`, with the version in `xen/Makefile` (or `xen/xen-version`), the date, the person and
/// the machine, and adds a banner in large letters (`xen/Makefile` up to 4.14, then `xen/build.mk`; Debian's Xen has no banner). The trees of this program have the values of the running hypervisor's own header, so that
/// objects with such texts equal the hypervisor's. A patch that changes what make writes changes those values, and no others.
struct BuildFacts: Equatable {
    /// The definition of one macro, with all its lines.
    private struct Definition: Equatable {
        var name: String
        /// What is behind the name, without blanks around it.
        var value: String
        /// The whole definition as it is in the file.
        var text: String
    }

    private enum Part: Equatable {
        case definition(Definition)
        case other(String)
    }

    private var parts: [Part]

    init(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        parts = []
        var index = 0
        while index < lines.count {
            var text = String(lines[index])
            while text.hasSuffix("\\"), index + 1 < lines.count {
                index += 1
                text += "\n" + lines[index]
            }
            index += 1
            parts.append(Self.definition(text).map(Part.definition) ?? .other(text))
        }
    }

    private static func definition(_ text: String) -> Definition? {
        let rest = text.drop { $0 == " " || $0 == "\t" }
        guard rest.hasPrefix("#define") else { return nil }
        let words = rest.dropFirst("#define".count).drop { $0 == " " || $0 == "\t" }
        let name = words.prefix { $0 != " " && $0 != "\t" && $0 != "\\" }
        guard !name.isEmpty else { return nil }
        var value = words.dropFirst(name.count).drop { $0 == " " || $0 == "\t" }
        while let last = value.last, last == " " || last == "\t" || last == "\r" { value.removeLast() }
        return Definition(name: String(name), value: String(value), text: text)
    }

    var bytes: [UInt8] {
        Array(
            parts.map {
                switch $0 {
                case .definition(let definition): definition.text
                case .other(let text): text
                }
            }.joined(separator: "\n").utf8)
    }

    private var definitions: [String: Definition] {
        var result: [String: Definition] = [:]
        for case .definition(let definition) in parts { result[definition.name] = definition }
        return result
    }

    /// The names of all macros.
    var macros: Set<String> { Set(definitions.keys) }

    /// Each definition and each other line: its text, and the macro's name and value.
    var lines: [(text: String, name: String?, value: String)] {
        parts.map {
            switch $0 {
            case .definition(let definition): (definition.text, definition.name, definition.value)
            case .other(let text): (text, nil, "")
            }
        }
    }

    private var others: [String] {
        parts.compactMap { if case .other(let text) = $0 { text } else { nil } }
    }

    /// The hypervisor's facts with what a patch changes in them.
    ///
    /// - Parameters:
    ///   - running: those of the running hypervisor.
    ///   - before: what make writes without the patch, for the date and person that `CommandRunner` fixes; `after`: with the patch.
    /// - Returns: the facts for the patched tree, and what the patch changes, in the header's order.
    static func patched(_ running: BuildFacts, before: BuildFacts, after: BuildFacts) -> (facts: BuildFacts, changes: [VersionChange]) {
        let old = before.definitions, new = after.definitions, own = running.definitions
        var changes: [VersionChange] = []
        func differs(_ name: String) -> Bool { old[name]?.value != new[name]?.value }
        func note(_ name: String) -> Bool {
            // A value that this make does not write came from another place. What the patch means for it is not known.
            let isFollowed = own[name]?.value == old[name]?.value
            changes.append(VersionChange(name: name, before: own[name]?.value, after: new[name]?.value, isFollowed: isFollowed))
            return isFollowed
        }
        var parts: [Part] = []
        for part in after.parts {
            guard case .definition(let definition) = part else {
                parts.append(part)
                continue
            }
            let takes = differs(definition.name) ? note(definition.name) : own[definition.name] == nil
            if let definition = takes ? definition : own[definition.name] { parts.append(.definition(definition)) }
        }
        for case .definition(let gone) in before.parts where new[gone.name] == nil && differs(gone.name) { _ = note(gone.name) }
        if changes.isEmpty, before.others == after.others { return (running, []) }
        var facts = after
        facts.parts = parts
        return (facts, changes)
    }
}

/// A text or number about the hypervisor's version that the patch changes.
struct VersionChange: Equatable, Sendable {
    /// The macro in `xen/compile.h`: `XEN_EXTRAVERSION`.
    var name: String
    /// As the running hypervisor has it, and as make writes it with the patch. nil: it has no such macro.
    var before: String?
    var after: String?
    /// Whether the patched objects have the new value. They have not if the running hypervisor's value is none that this tree makes.
    var isFollowed: Bool

    /// The banner is printed at boot only.
    var isBanner: Bool { name == "XEN_BANNER" }

    var words: String { isBanner ? name : "\(name) \(before ?? "(none)") → \(after ?? "(none)")" }
}
