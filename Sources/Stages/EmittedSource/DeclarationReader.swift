/// Cuts the tokens of a source into declarations at file scope.
///
/// What it can't tell counts as a root, and as declaring more rather than less.
struct DeclarationReader {
    /// The structure of the source is not understood.
    struct NotUnderstood: Error {}

    private let source: SourceTokens
    private let harmless: Set<Int32>
    private var index = 0

    static func declarations(of source: SourceTokens) throws(NotUnderstood) -> [Declaration] {
        var reader = DeclarationReader(source)
        var result: [Declaration] = []
        while reader.token != nil { result.append(try reader.next()) }
        return result
    }

    private init(_ source: SourceTokens) {
        self.source = source
        harmless = Set(Attributes.harmless.compactMap { source.names.existing($0.utf8) })
    }

    private var token: SourceTokens.Token? { index < source.tokens.count ? source.tokens[index] : nil }
    private func token(at index: Int) -> SourceTokens.Token? { index < source.tokens.count ? source.tokens[index] : nil }

    // MARK: A declaration

    /// What is known of the declaration that is being read.
    private struct Part {
        var names: [Int32] = []
        /// Tags without a body.
        var mentioned: [Int32] = []
        /// Whether it may take effect without being named: assembly, a directive, an attribute that is not known to be harmless.
        var takesEffect = false
        var isTypedef = false, isExtern = false, isStatic = false, isInline = false
        var hasType = false
        var hasAggregate = false
        /// Whether a declarator declares a variable, or may do so.
        var hasVariable = false
        var hasInitialiser = false
        var declarator = Declarator()
        /// Whether an initialiser is being read.
        var isInInitialiser = false

        /// At a comma, an equals sign or the end of the declaration.
        mutating func endDeclarator() {
            if !declarator.isNamed, let last = declarator.last {
                names.append(last)
                declarator.isNamed = true
            }
            if declarator.isNamed, !declarator.isFunction { hasVariable = true }
            declarator = Declarator()
        }

        func isRoot(hasBody: Bool) -> Bool {
            if takesEffect { return true }
            if hasBody { return !(isStatic && isInline) }
            if isTypedef { return false }
            if names.isEmpty { return !hasAggregate }
            return hasVariable && (!isExtern || hasInitialiser)
        }
    }

    private struct Declarator {
        /// The last identifier: it is the declarator's name if nothing but an operator follows.
        var last: Int32?
        /// Whether the name has been read. What follows in parentheses are parameters.
        var isNamed = false
        /// Whether it certainly declares a function.
        var isFunction = false
        /// Whether it may declare a function, if a body follows.
        var mayBeFunction = false
    }

    private mutating func next() throws(NotUnderstood) -> Declaration {
        let start = index
        var part = Part()
        if let token, token.kind == .directive {
            index += 1
            return Declaration(tokens: start..<index, isRoot: true, names: [])
        }
        if let word = token?.word, word.isAsm || word.isStaticAssert { part.takesEffect = true }
        while let token {
            switch token.kind {
            case .identifier: try readIdentifier(token, &part)
            case .directive:
                part.takesEffect = true
                index += 1
            case .number, .literal:
                guard part.isInInitialiser else { throw NotUnderstood() }
                index += 1
            case .punctuator:
                switch UInt8(truncatingIfNeeded: token.value) {
                case UInt8(ascii: ";"):
                    index += 1
                    part.endDeclarator()
                    if part.names.isEmpty { part.names = part.mentioned }
                    let isEmpty = index == start + 1
                    return Declaration(tokens: start..<index, isRoot: !isEmpty && part.isRoot(hasBody: false), names: part.names)
                case UInt8(ascii: ","):
                    index += 1
                    part.endDeclarator()
                    part.isInInitialiser = false
                case UInt8(ascii: "=") where !part.isInInitialiser:
                    index += 1
                    part.endDeclarator()
                    (part.hasInitialiser, part.isInInitialiser) = (true, true)
                case UInt8(ascii: "{") where !part.isInInitialiser:
                    guard part.declarator.isNamed, part.declarator.isFunction || part.declarator.mayBeFunction else { throw NotUnderstood() }
                    try readBody(&part)
                    return Declaration(tokens: start..<index, isRoot: part.isRoot(hasBody: true), names: part.names)
                case UInt8(ascii: "(") where !part.isInInitialiser: try readParentheses(&part)
                case UInt8(ascii: "("), UInt8(ascii: "{"): try readGroup(&part)
                case UInt8(ascii: "["):
                    // `[[` begins an attribute of C23.
                    if self.token(at: index + 1)?.isPunctuator(UInt8(ascii: "[")) == true { part.takesEffect = true }
                    try readGroup(&part)
                case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): throw NotUnderstood()
                case UInt8(ascii: "*"): index += 1
                default:
                    guard part.isInInitialiser else { throw NotUnderstood() }
                    index += 1
                }
            }
        }
        throw NotUnderstood()
    }

    private mutating func readIdentifier(_ token: SourceTokens.Token, _ part: inout Part) throws(NotUnderstood) {
        index += 1
        guard let word = token.word else {
            guard !part.isInInitialiser, !part.declarator.isNamed else { return }
            if part.declarator.last != nil { part.hasType = true }
            part.declarator.last = token.value
            return
        }
        switch word {
        case .typedef: part.isTypedef = true
        case .extern: part.isExtern = true
        case .static: part.isStatic = true
        case .inline, .inline2, .inline3: part.isInline = true
        case .struct, .union, .enum: try readAggregate(word, &part)
        case .void, .char, .short, .int, .long, .float, .double, .signed, .signed2, .signed3, .unsigned, .bool, .complex, .int128, .autoType:
            part.hasType = true
        case _ where word.takesOperand:
            if word.isTypeof { part.hasType = true }
            // `asm volatile`.
            while word.isAsm, self.token?.kind == .identifier { index += 1 }
            guard self.token?.isPunctuator(UInt8(ascii: "(")) == true else { return }
            let start = index
            try readGroup(&part)
            if word.isAttribute, !areHarmless(start..<index) { part.takesEffect = true }
        default: break
        }
    }

    /// Reads a tag and a body, behind the word.
    private mutating func readAggregate(_ word: Word, _ part: inout Part) throws(NotUnderstood) {
        part.hasAggregate = true
        part.hasType = true
        try readAttributes(&part)
        var tag: Int32?
        if let token, token.kind == .identifier, token.word == nil {
            tag = token.value
            index += 1
            try readAttributes(&part)
        }
        guard token?.isPunctuator(UInt8(ascii: "{")) == true else {
            if let tag { part.mentioned.append(tag) }
            return
        }
        if let tag { part.names.append(tag) }
        try readGroup(&part, isEnum: word == .enum)
    }

    private mutating func readAttributes(_ part: inout Part) throws(NotUnderstood) {
        while let token, let word = token.word, word.isAttribute { try readIdentifier(token, &part) }
    }

    /// Reads parentheses outside an initialiser: parameters, or a declarator such as `(*name)`.
    private mutating func readParentheses(_ part: inout Part) throws(NotUnderstood) {
        guard !part.declarator.isNamed else { return try readGroup(&part) }
        let start = index
        try readGroup(&part)
        let inner = source.tokens[start + 1..<index - 1]
        let isPointer = inner.first.map { $0.isPunctuator(UInt8(ascii: "*")) || $0.isPunctuator(UInt8(ascii: "(")) } ?? false
        part.declarator.isNamed = true
        if !isPointer, let last = part.declarator.last {
            part.names.append(last)
            // `name_t (name);` without a type before it declares the name in parentheses.
            if !part.hasType, inner.count == 1 {
                part.names += inner.filter { $0.kind == .identifier }.map(\.value)
                part.declarator.mayBeFunction = true
            } else {
                part.declarator.isFunction = true
            }
        } else {
            part.names += inner.filter { $0.kind == .identifier && $0.word == nil }.map(\.value)
            part.declarator.mayBeFunction = true
        }
    }

    // MARK: Groups

    /// Reads a group in parentheses, brackets or braces, and notes the tags and enumerators that are declared in it.
    private mutating func readGroup(_ part: inout Part, isEnum: Bool = false) throws(NotUnderstood) {
        var open: [(closing: UInt8, isEnum: Bool)] = []
        var isEnumNext = isEnum, expectsEnumerator = false
        while let token {
            index += 1
            switch token.kind {
            case .directive: part.takesEffect = true
            case .number, .literal: break
            case .identifier:
                if expectsEnumerator, token.word == nil { part.names.append(token.value) }
                expectsEnumerator = false
                if let word = token.word, word.isAggregate {
                    let (tag, hasBody) = tag()
                    if hasBody, let tag { part.names.append(tag) }
                    isEnumNext = hasBody && word == .enum
                }
            case .punctuator:
                switch UInt8(truncatingIfNeeded: token.value) {
                case UInt8(ascii: "("): open.append((UInt8(ascii: ")"), false))
                case UInt8(ascii: "["): open.append((UInt8(ascii: "]"), false))
                case UInt8(ascii: "{"):
                    open.append((UInt8(ascii: "}"), isEnumNext))
                    expectsEnumerator = isEnumNext
                    isEnumNext = false
                case UInt8(ascii: ","): expectsEnumerator = open.last?.isEnum == true
                case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                    guard open.popLast()?.closing == UInt8(truncatingIfNeeded: token.value) else { throw NotUnderstood() }
                    if open.isEmpty { return }
                default: break
                }
            }
        }
        throw NotUnderstood()
    }

    /// The tag at the index, behind attributes, and whether a body follows it.
    private func tag() -> (tag: Int32?, hasBody: Bool) {
        var index = index
        func skipAttributes() {
            while let word = token(at: index)?.word, word.isAttribute {
                var depth = 0
                repeat {
                    index += 1
                    if token(at: index)?.isPunctuator(UInt8(ascii: "(")) == true { depth += 1 }
                    if token(at: index)?.isPunctuator(UInt8(ascii: ")")) == true { depth -= 1 }
                } while depth > 0 && index < source.tokens.count
                index += 1
            }
        }
        skipAttributes()
        var tag: Int32?
        if let token = token(at: index), token.kind == .identifier, token.word == nil {
            tag = token.value
            index += 1
            skipAttributes()
        }
        return (tag, token(at: index)?.isPunctuator(UInt8(ascii: "{")) == true)
    }

    /// The name at the index if it is all that is in parentheses, and more parentheses follow: `int (name)(int)`.
    private var parenthesisedName: Int32? {
        guard let name = token, name.kind == .identifier, name.word == nil, token(at: index + 1)?.isPunctuator(UInt8(ascii: ")")) == true,
            token(at: index + 2)?.isPunctuator(UInt8(ascii: "(")) == true
        else { return nil }
        return name.value
    }

    /// Reads the body of a function. Types in it are its own, but a function or a variable that it declares is the file's.
    private mutating func readBody(_ part: inout Part) throws(NotUnderstood) {
        var open: [UInt8] = []
        var statement = Statement()
        while let token {
            index += 1
            switch token.kind {
            case .directive: part.takesEffect = true
            case .number, .literal: statement.isDeclarator = false
            case .identifier:
                if let name = statement.add(token, depth: open.count) { part.names.append(name) }
            case .punctuator:
                let byte = UInt8(truncatingIfNeeded: token.value)
                switch byte {
                case UInt8(ascii: "(") where statement.takesOperand:
                    index -= 1
                    try readGroup(&part)
                    statement.takesOperand = false
                case UInt8(ascii: "("):
                    if statement.isDeclarator, let name = parenthesisedName { part.names.append(name) }
                    if let name = statement.openParentheses(depth: open.count) { part.names.append(name) }
                    open.append(UInt8(ascii: ")"))
                case UInt8(ascii: "["):
                    statement.isDeclarator = false
                    open.append(UInt8(ascii: "]"))
                case UInt8(ascii: "{"):
                    statement.end(depth: Int.max)
                    open.append(UInt8(ascii: "}"))
                case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
                    guard open.popLast() == byte else { throw NotUnderstood() }
                    if open.isEmpty { return }
                    if byte == UInt8(ascii: "}") { statement.end(depth: Int.max) }
                case UInt8(ascii: ";"): statement.end(depth: open.count)
                // A label may be before it.
                case UInt8(ascii: ":"): statement.end(depth: Int.max)
                case UInt8(ascii: "*"): break
                default: statement.isDeclarator = false
                }
            }
        }
        throw NotUnderstood()
    }
}

/// A statement of a function's body, as far as it has been read: enough to see that it declares a function or a variable of the file.
private struct Statement {
    /// Whether all tokens so far are identifiers and asterisks.
    var isDeclarator = true
    /// Whether parentheses that follow belong to an attribute or a `typeof`.
    var takesOperand = false
    private var count = 0
    private var last: Int32?
    /// How many brackets and braces are open where a declaration of the file's began: each further identifier counts as declared.
    private var declaresFrom: Int?

    /// Returns the name that the token declares, if any.
    mutating func add(_ token: SourceTokens.Token, depth: Int) -> Int32? {
        if token.isWord(.extern), declaresFrom == nil { declaresFrom = depth }
        if count == 0, token.word?.isOfStatement == true { isDeclarator = false }
        takesOperand = token.word.map { $0.takesOperand && !$0.isAsm } ?? false
        count += 1
        last = token.word == nil ? token.value : nil
        return declaresFrom == nil ? nil : last
    }

    /// At an opening parenthesis. Two identifiers before it are a type and a function: `u32 function(`.
    mutating func openParentheses(depth: Int) -> Int32? {
        defer { isDeclarator = false }
        guard isDeclarator, count > 1, let last else { return nil }
        declaresFrom = declaresFrom ?? depth
        return last
    }

    /// At a semicolon or a brace. A declaration goes on behind one that is deeper than its beginning.
    mutating func end(depth: Int) {
        if declaresFrom.map({ depth <= $0 }) ?? true { self = Statement() }
    }
}

extension DeclarationReader {
    /// Whether all attributes in `((name, name(argument)))` are known to change nothing when nobody names what has them.
    private func areHarmless(_ group: Range<Int>) -> Bool {
        var depth = 0, isName = false
        for token in source.tokens[group] {
            switch token.kind {
            case .identifier:
                if isName, !harmless.contains(token.value) { return false }
                isName = false
            case .punctuator where token.isPunctuator(UInt8(ascii: "(")):
                depth += 1
                isName = depth == 2
            case .punctuator where token.isPunctuator(UInt8(ascii: ")")): depth -= 1
            case .punctuator where token.isPunctuator(UInt8(ascii: ",")): isName = depth == 2
            default: break
            }
        }
        return true
    }
}
