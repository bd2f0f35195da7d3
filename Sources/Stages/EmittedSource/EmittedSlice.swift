import Crypto

/// The declarations of a preprocessed source that decide what the compiler emits for it: those that it emits something for, and all that these
/// name, directly or through others.
///
/// The aim: if two sources have the same slice and are compiled by the same command, their objects are the same, apart from debug information.
/// That does not hold yet. Among what is missed are names in strings (`alias`, `ifunc`), attributes inside a declarator's parentheses or in bodies,
/// a name in parentheses behind a typedef's, and functions that a block declares behind another declarator.
package struct EmittedSlice: Sendable, Equatable {
    /// SHA-256 of the slice's tokens, in order.
    package let digest: [UInt8]
    /// How many declarations the source has, and how many of them are in the slice.
    package let counts: (all: Int, reached: Int)

    package static func == (one: Self, other: Self) -> Bool { one.digest == other.digest }

    /// - Parameters:
    ///   - text: the output of the compiler's `-E`.
    ///   - top: the path of the source tree. Literals that differ in it only are the same.
    /// - Returns: nil if the structure of the source is not understood, if it asks the compiler for its line or file, or if it has two gigabytes.
    package init?(_ text: [UInt8], top: [UInt8]) {
        guard text.count < Int32.max else { return nil }
        let source = SourceTokens(text)
        guard !source.isUnusual, !Self.questions.contains(where: { source.names.existing($0.utf8) != nil }),
            let declarations = try? DeclarationReader.declarations(of: source)
        else { return nil }
        let reached = Reach(source, declarations).reached
        var hash = SHA256()
        var bytes: [UInt8] = []
        for (declaration, isReached) in zip(declarations, reached) where isReached {
            bytes.removeAll(keepingCapacity: true)
            for token in source.tokens[declaration.tokens] {
                if !token.isJoined || token.kind != .punctuator { bytes.append(0x20) }
                if token.kind == .literal { source.append(literal: token, without: top, to: &bytes) } else { bytes += source.bytes(of: token) }
            }
            bytes.append(0x0a)
            hash.update(data: bytes)
        }
        digest = Array(hash.finalize())
        counts = (declarations.count, reached.count { $0 })
    }

    /// What makes the place of a declaration in its file part of the object.
    private static let questions = ["__builtin_LINE", "__builtin_FILE"]
}

/// Which declarations are reached from those that the compiler emits something for.
private struct Reach {
    private(set) var reached: [Bool]

    init(_ source: SourceTokens, _ declarations: [Declaration]) {
        reached = [Bool](repeating: false, count: declarations.count)
        var declaring: [Int32: [Int]] = [:]
        var pending: [Int] = []
        for (index, declaration) in declarations.enumerated() {
            for name in declaration.names { declaring[name, default: []].append(index) }
            if declaration.isRoot { pending.append(index) }
        }
        for name in ImplicitNames.all { pending += source.names.existing(name.utf8).flatMap { declaring[$0] } ?? [] }
        var isWanted = [Bool](repeating: false, count: source.names.count)
        while let index = pending.popLast() {
            guard !reached[index] else { continue }
            reached[index] = true
            for token in source.tokens[declarations[index].tokens] where token.kind == .identifier && !isWanted[Int(token.value)] {
                isWanted[Int(token.value)] = true
                if let found = declaring[token.value] { pending += found }
                if let library = ImplicitNames.function(behind: source.names.name(token.value)),
                    let found = source.names.existing(library).flatMap({ declaring[$0] })
                {
                    pending += found
                }
            }
        }
    }
}

extension SourceTokens {
    /// Appends a literal with a zero byte in place of the path of the tree: `__FILE__` may contain it.
    fileprivate func append(literal token: Token, without top: [UInt8], to result: inout [UInt8]) {
        let part = bytes(of: token)
        guard !top.isEmpty, part.count > top.count else {
            result += part
            return
        }
        var rest = part
        while let first = rest.first {
            if first == top[0], rest.starts(with: top) {
                result.append(0)
                rest = rest.dropFirst(top.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
    }
}
