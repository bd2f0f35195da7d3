/// Reads a part of a source that is nothing but a plain declaration: of functions, types, or variables of other objects, or a static inline function.
///
/// Such a part changes nothing in the object unless something else names what it declares. Whatever has another form, or a word that is not known
/// to be harmless, is not plain. So the grammar is small: what it leaves out costs time, what it wrongly takes in would cost a fix.
///
/// The grammar: C11 6.7 and 6.9, with GCC's attributes at three places (GCC 12, "Attribute Syntax").
struct PlainDeclaration {
    /// The part is not plain.
    struct NotPlain: Error {}

    /// The functions, variables, types, tags and enumerators that it declares, by their numbers.
    private(set) var names: [Int32] = []
    /// Those of them that are functions or variables, which have symbols.
    private(set) var symbols: [Int32] = []
    /// The typedef names among them that certainly stand for types of objects, not of functions.
    private(set) var typedefs: [Int32] = []

    let source: SourceTokens
    let end: Int
    let types: TypeNames
    let harmless: Set<Int32>
    let context: Context
    var index: Int
    /// How many attributes and structs are being read, one in the other.
    private var depth = 0
    private static let deepest = 32
    /// What may be a parameter's name.
    private(set) var parameters: Set<Int32> = []

    /// What is before the part in its source.
    struct Context {
        /// Whether a function of that name is declared.
        var isFunction: (Int32) -> Bool
        /// Whether a struct, union or enum of that tag is mentioned at file scope.
        var isTag: (Int32) -> Bool

        static var anything: Context { Context(isFunction: { _ in true }, isTag: { _ in true }) }
    }

    /// - Parameters:
    ///   - part: its tokens.
    ///   - types: of the whole source.
    init(_ part: Range<Int>, of source: SourceTokens, types: TypeNames, harmless: Set<Int32>, in context: Context) throws(NotPlain) {
        (self.source, self.types, self.harmless, self.context) = (source, types, harmless, context)
        (index, end) = (part.lowerBound, part.upperBound)
        for token in source.tokens[part] where token.kind == .identifier && token.word == nil {
            if Self.isReservedType(source.names.name(token.value)) { throw NotPlain() }
        }
        // A semicolon alone declares nothing.
        if !accept(";") { try readDeclaration() }
        guard index == end else { throw NotPlain() }
    }

    /// Whether a name may be a type that only the compiler knows, or a word of the language that this reader does not: `_BitInt`, `__float128`.
    private static func isReservedType(_ name: ArraySlice<UInt8>) -> Bool {
        var rest = name
        guard rest.popFirst() == UInt8(ascii: "_"), let second = rest.first else { return newWords.contains { name.elementsEqual($0) } }
        if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(second) { return true }
        return second == UInt8(ascii: "_") && reservedTypes.contains { name.starts(with: $0) }
    }

    /// Beginnings of the names of types that processors have: x86, ARM.
    private static let reservedTypes = [
        "__float", "__ibm", "__fp", "__bf", "__mfp", "__sv", "__SV", "__Int", "__Uint", "__Float", "__Poly", "__Bfloat", "__tile", "__seg_",
        "__builtin_ms_va_list", "__builtin_sysv_va_list", "__typeof_unqual", "__label__", "__transaction", "__GIMPLE", "__RTL", "__PHI", "__decltype",
        "__constinit", "__underlying", "__null",
    ].map { Array($0.utf8) }
    /// Words of C23 that are names before.
    private static let newWords = ["typeof_unqual", "constexpr", "thread_local", "nullptr"].map { Array($0.utf8) }

    // MARK: Tokens

    var token: SourceTokens.Token? { index < end ? source.tokens[index] : nil }
    func token(ahead: Int) -> SourceTokens.Token? { index + ahead < end ? source.tokens[index + ahead] : nil }
    func isNext(_ character: Unicode.Scalar) -> Bool { token?.isPunctuator(UInt8(ascii: character)) ?? false }

    mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard isNext(character) else { return false }
        index += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(NotPlain) { if !accept(character) { throw NotPlain() } }

    /// An identifier that is no word of the language.
    var name: Int32? {
        guard let token, token.kind == .identifier, token.word == nil else { return nil }
        return token.value
    }

    // MARK: Declarations

    private struct Specifiers {
        var isTypedef = false, isExtern = false, isStatic = false, isInline = false
        var hasAggregate = false
        /// Whether the type may be a function's: a typedef of an unknown kind, or `typeof`.
        var mayBeFunction = false
    }

    private mutating func readDeclaration() throws(NotPlain) {
        let specifiers = try readSpecifiers()
        // `struct tag { ... };`
        if specifiers.hasAggregate, accept(";") { return }
        var isFirst = true
        while true {
            let declarator = try readDeclarator()
            names.append(declarator.name)
            if specifiers.isTypedef {
                if !declarator.isFunction, !specifiers.mayBeFunction || declarator.isPointerOrArray { typedefs.append(declarator.name) }
            } else {
                symbols.append(declarator.name)
                // Without `static`, an inline function may be emitted for other objects; without `extern`, a variable is.
                let isHarmless =
                    declarator.isFunction ? specifiers.isStatic || !specifiers.isInline : specifiers.isExtern && !specifiers.isStatic && !specifiers.isInline
                guard isHarmless else { throw NotPlain() }
            }
            if accept(";") { break }
            if isNext("{") {
                guard isFirst, declarator.isFunction, specifiers.isStatic, specifiers.isInline, !specifiers.isTypedef, !specifiers.isExtern else {
                    throw NotPlain()
                }
                return try readBody()
            }
            try expect(",")
            isFirst = false
        }
    }

    private mutating func readSpecifiers() throws(NotPlain) -> Specifiers {
        var result = Specifiers(), hasType = false
        while let token, token.kind == .identifier {
            guard let word = token.word else {
                guard !hasType else { return result }
                (hasType, result.mayBeFunction) = (true, !types.areObjects(token.value))
                index += 1
                continue
            }
            switch word {
            case .typedef: result.isTypedef = true
            case .extern: result.isExtern = true
            case .static: result.isStatic = true
            case .inline, .inline2, .inline3: result.isInline = true
            case .const, .const2, .const3, .volatile, .volatile2, .volatile3, .extension, .noreturn: break
            case _ where word.isBasicType: hasType = true
            case .struct, .union, .enum:
                (hasType, result.hasAggregate) = (true, true)
                try readAggregate()
                continue
            case .attribute, .attribute2:
                try readAttribute()
                continue
            case .typeof, .typeof2, .typeof3:
                (hasType, result.mayBeFunction) = (true, true)
                index += 1
                try readGroup()
                continue
            default: throw NotPlain()
            }
            index += 1
        }
        guard hasType else { throw NotPlain() }
        return result
    }

    private struct Declarator {
        var name: Int32
        var isFunction = false
        var isPointerOrArray = false
    }

    /// `*const name`, `name(parameters)`, `name[2]`, `(*name)(parameters)`. No type may have its body among the parameters.
    private mutating func readDeclarator() throws(NotPlain) -> Declarator {
        let isPointer = try readPointers()
        if accept("(") {
            guard isNext("*"), try readPointers(), let name else { throw NotPlain() }
            index += 1
            while isNext("[") { try readGroup() }
            try expect(")")
            try readParameters()
            try readAttributes()
            return Declarator(name: name, isPointerOrArray: true)
        }
        guard let name else { throw NotPlain() }
        index += 1
        var result = Declarator(name: name, isPointerOrArray: isPointer)
        if isNext("(") {
            try readParameters()
            (result.isFunction, result.isPointerOrArray) = (true, false)
        } else {
            while isNext("[") {
                try readGroup()
                result.isPointerOrArray = true
            }
        }
        try readAttributes()
        return result
    }

    private mutating func readPointers() throws(NotPlain) -> Bool {
        var hasAny = false
        while let token {
            if accept("*") {
                hasAny = true
            } else if let word = token.word, word.isQualifier {
                index += 1
            } else if token.word?.isAttribute == true {
                try readAttribute()
            } else {
                break
            }
        }
        return hasAny
    }

    // MARK: Types

    /// A struct, a union or an enum, from that word on. Structs in structs are of the same kind.
    private mutating func readAggregate() throws(NotPlain) {
        guard depth < Self.deepest, let word = token?.word else { throw NotPlain() }
        depth += 1
        defer { depth -= 1 }
        index += 1
        try readAttributes()
        let tag = name
        if tag != nil {
            index += 1
            try readAttributes()
        }
        guard isNext("{") else {
            guard let tag else { throw NotPlain() }
            return mention(tag: tag)
        }
        if let tag { names.append(tag) }
        index += 1
        if word == .enum { try readEnumerators() } else { try readMembers() }
        try readAttributes()
    }

    /// A tag without a body declares a type if it is the first of its name: a mention in a narrower scope means that one then.
    private mutating func mention(tag: Int32) { if !context.isTag(tag) { names.append(tag) } }

    private mutating func readEnumerators() throws(NotPlain) {
        while !accept("}") {
            guard let name else { throw NotPlain() }
            names.append(name)
            index += 1
            try readAttributes()
            if accept("=") { while !isNext(","), !isNext("}") { try readPiece() } }
            if !isNext("}") { try expect(",") }
        }
    }

    private mutating func readMembers() throws(NotPlain) {
        while !accept("}") {
            if let word = token?.word, word.isAggregate { try readAggregate() } else { try readPiece() }
        }
    }

    // MARK: Pieces

    mutating func readAttributes() throws(NotPlain) { while token?.word?.isAttribute == true { try readAttribute() } }

    /// `__attribute__((name, name(argument)))`, where each name is known to be harmless.
    mutating func readAttribute() throws(NotPlain) {
        guard depth < Self.deepest else { throw NotPlain() }
        depth += 1
        defer { depth -= 1 }
        index += 1
        try expect("(")
        try expect("(")
        while !accept(")") {
            if accept(",") { continue }
            guard let token, token.kind == .identifier, harmless.contains(token.value) || token.word?.isQualifier == true else { throw NotPlain() }
            index += 1
            if isNext("(") { try readGroup(.texts) }
        }
        try expect(")")
    }

    /// What may be in a group besides expressions.
    enum Content {
        case expressions
        case texts
        case parameters
    }

    /// Parameters in parentheses. No type may have its body there; types that are first mentioned there are the function's own.
    private mutating func readParameters() throws(NotPlain) {
        let start = index
        try readGroup(.parameters)
        for place in start..<index - 1 where source.tokens[place].kind == .identifier && source.tokens[place].word == nil {
            let next = source.tokens[place + 1]
            if next.isPunctuator(UInt8(ascii: ",")) || next.isPunctuator(UInt8(ascii: ")")) { parameters.insert(source.tokens[place].value) }
        }
    }

    /// Brackets or parentheses with what is in them, but no braces.
    mutating func readGroup(_ content: Content = .expressions) throws(NotPlain) {
        guard isNext("(") || isNext("[") else { throw NotPlain() }
        var open: [Unicode.Scalar] = []
        repeat {
            if accept("(") {
                open.append(")")
            } else if isNext("[") {
                // `[[` begins an attribute of C23.
                guard token(ahead: 1)?.isPunctuator(UInt8(ascii: "[")) != true else { throw NotPlain() }
                index += 1
                open.append("]")
            } else if isNext(")") || isNext("]") {
                guard let closing = open.popLast() else { throw NotPlain() }
                try expect(closing)
            } else {
                // Within brackets there are no parameters.
                try readPiece(content == .parameters && open.contains("]") ? .expressions : content, isInParameters: content == .parameters)
            }
        } while !open.isEmpty
    }

    /// One token or attribute of an expression, of parameters or of members; outside parameters also a group.
    ///
    /// - Parameter isInParameters: whether tags are the function's own.
    private mutating func readPiece(_ content: Content = .expressions, isInParameters: Bool = false) throws(NotPlain) {
        guard let token else { throw NotPlain() }
        switch token.kind {
        case .number: index += 1
        case .literal:
            guard content == .texts || source.bytes(of: token).first == UInt8(ascii: "'") else { throw NotPlain() }
            index += 1
        case .directive: throw NotPlain()
        case .identifier: try readWord(token, content, isInParameters: isInParameters)
        case .punctuator:
            if isNext("(") || isNext("[") { return try readGroup(content) }
            guard !isNext("{"), !isNext("}"), !isNext(")"), !isNext("]") else { throw NotPlain() }
            index += 1
        }
    }

    private mutating func readWord(_ token: SourceTokens.Token, _ content: Content, isInParameters: Bool) throws(NotPlain) {
        guard let word = token.word else {
            index += 1
            // C before C99 declares a function where it is called.
            if content != .parameters, isNext("(") { throw NotPlain() }
            return
        }
        switch word {
        case .attribute, .attribute2: return try readAttribute()
        case .struct, .union, .enum:
            index += 1
            if let name {
                if !isInParameters { mention(tag: name) }
                index += 1
            }
        case .typeof, .typeof2, .typeof3:
            guard content != .parameters else { throw NotPlain() }
            index += 1
        default:
            guard !word.isOfStatement || word == .sizeof, !word.isAsm, !word.isStaticAssert else { throw NotPlain() }
            switch word {
            case .alignas, .atomic, .typedef, .thread, .thread2, .extern, .auto, .autoType: throw NotPlain()
            default: index += 1
            }
        }
    }

    // MARK: Bodies

    private mutating func readBody() throws(NotPlain) {
        var body = PlainBody(self)
        try body.read()
        index = body.declaration.index
    }
}
