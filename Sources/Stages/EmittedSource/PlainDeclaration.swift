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

    fileprivate let source: SourceTokens
    fileprivate let end: Int
    fileprivate let types: TypeNames
    fileprivate let harmless: Set<Int32>
    fileprivate let context: Context
    fileprivate var index: Int
    /// How many attributes and structs are being read, one in the other.
    private var depth = 0
    private static let deepest = 32
    /// What may be a parameter's name.
    fileprivate private(set) var parameters: Set<Int32> = []

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

    fileprivate var token: SourceTokens.Token? { index < end ? source.tokens[index] : nil }
    fileprivate func token(ahead: Int) -> SourceTokens.Token? { index + ahead < end ? source.tokens[index + ahead] : nil }
    fileprivate func isNext(_ character: Unicode.Scalar) -> Bool { token?.isPunctuator(UInt8(ascii: character)) ?? false }

    fileprivate mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard isNext(character) else { return false }
        index += 1
        return true
    }

    fileprivate mutating func expect(_ character: Unicode.Scalar) throws(NotPlain) { if !accept(character) { throw NotPlain() } }

    /// An identifier that is no word of the language.
    fileprivate var name: Int32? {
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

    fileprivate mutating func readAttributes() throws(NotPlain) { while token?.word?.isAttribute == true { try readAttribute() } }

    /// `__attribute__((name, name(argument)))`, where each name is known to be harmless.
    fileprivate mutating func readAttribute() throws(NotPlain) {
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
    fileprivate enum Content {
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
    fileprivate mutating func readGroup(_ content: Content = .expressions) throws(NotPlain) {
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

/// Reads the body of a static inline function that nothing calls. It takes effect only by what it declares for the whole file: functions in a
/// block, and anything behind `extern`. A body in which there may be such a declaration is not plain.
private struct PlainBody {
    typealias NotPlain = PlainDeclaration.NotPlain

    private enum State {
        /// A statement or a declaration may begin.
        case start
        /// Up to the colon.
        case label
        /// The parentheses of `if`, `while` and `switch` come, and then a statement.
        case condition
        case expression
        /// A name comes. One without an initialiser may declare a function if the type is not known to be another.
        case declarator
        case declared
        case initialiser
    }

    private struct Frame {
        let closing: Unicode.Scalar
        /// Whether statements stand in it.
        let isBlock: Bool
        var state = State.start
        /// Whether the type of the declaration that is being read may be a function's.
        var mayBeFunction = false
        var isRegister = false
    }

    var declaration: PlainDeclaration
    private var frames: [Frame] = []
    /// The function's parameters, and its variables so far.
    private var own: Set<Int32>

    init(_ declaration: PlainDeclaration) { (self.declaration, own) = (declaration, declaration.parameters) }

    private var source: SourceTokens { declaration.source }

    mutating func read() throws(NotPlain) {
        try declaration.expect("{")
        frames = [Frame(closing: "}", isBlock: true)]
        while let last = frames.indices.last {
            guard let token = declaration.token else { throw NotPlain() }
            if try readAnywhere(token) { continue }
            if frames[last].isBlock { try readInBlock(token, last) } else { try readInExpression(token) }
        }
    }

    /// What means the same everywhere: closing brackets, attributes, and what is not allowed at all.
    private mutating func readAnywhere(_ token: SourceTokens.Token) throws(NotPlain) -> Bool {
        switch token.kind {
        case .directive: throw NotPlain()
        case .punctuator:
            guard declaration.isNext("}") || declaration.isNext(")") || declaration.isNext("]") else { return false }
            guard let frame = frames.popLast() else { throw NotPlain() }
            try declaration.expect(frame.closing)
            if frame.isBlock, let outer = frames.indices.last, frames[outer].isBlock, frames[outer].state != .initialiser { frames[outer].state = .start }
            if !frame.isBlock, let outer = frames.indices.last, frames[outer].state == .condition { frames[outer].state = .start }
            return true
        case .identifier:
            guard let word = token.word else { return false }
            switch word {
            case .extern, .auto, .typedef, .thread, .thread2, .noreturn, .inline, .inline2, .inline3, .staticAssert, .staticAssert2, .alignas, .atomic:
                throw NotPlain()
            case .attribute, .attribute2:
                try declaration.readAttribute()
                // A statement that begins with one is empty, or a declaration.
                if let last = frames.indices.last, frames[last].isBlock, frames[last].state == .start, !declaration.isNext(";") { try readSpecifiers(last) }
                return true
            case .struct, .union, .enum:
                // A type without a body: what follows one with a body could be anything.
                guard let tag = declaration.token(ahead: 1), tag.kind == .identifier, tag.word == nil,
                    declaration.token(ahead: 2)?.isPunctuator(UInt8(ascii: "{")) != true
                else { throw NotPlain() }
                return false
            default: return false
            }
        case .number, .literal: return false
        }
    }

    private mutating func open(_ frame: Frame) {
        declaration.index += 1
        frames.append(frame)
    }

    /// - Returns: whether the token opened something.
    private mutating func openGroup() throws(NotPlain) -> Bool {
        if declaration.isNext("(") {
            // `({ ... })`
            if declaration.token(ahead: 1)?.isPunctuator(UInt8(ascii: "{")) == true {
                open(Frame(closing: ")", isBlock: false))
                open(Frame(closing: "}", isBlock: true))
            } else {
                open(Frame(closing: ")", isBlock: false))
            }
            return true
        }
        if declaration.isNext("[") {
            guard declaration.token(ahead: 1)?.isPunctuator(UInt8(ascii: "[")) != true else { throw NotPlain() }
            open(Frame(closing: "]", isBlock: false))
            return true
        }
        if declaration.isNext("{") {
            open(Frame(closing: "}", isBlock: false))
            return true
        }
        return false
    }

    private mutating func readInExpression(_ token: SourceTokens.Token) throws(NotPlain) {
        if try openGroup() { return }
        guard !declaration.isNext(";") else { throw NotPlain() }
        try checkCall(token)
        declaration.index += 1
    }

    /// A function that is called must have been declared: C before C99 would declare it here.
    private mutating func checkCall(_ token: SourceTokens.Token) throws(NotPlain) {
        guard token.kind == .identifier, token.word == nil else { return }
        guard declaration.token(ahead: 1)?.isPunctuator(UInt8(ascii: "(")) == true else { return }
        guard own.contains(token.value) || declaration.context.isFunction(token.value) || source.names.name(token.value).starts(with: "__builtin_".utf8) else {
            throw NotPlain()
        }
    }

    private mutating func readInBlock(_ token: SourceTokens.Token, _ frame: Int) throws(NotPlain) {
        switch frames[frame].state {
        case .start: try readStart(token, frame)
        case .label:
            // The colon of `a ?: b` is none of a label.
            guard !declaration.isNext("?") else { throw NotPlain() }
            if declaration.accept(":") {
                frames[frame].state = .start
            } else if try !openGroup() {
                try checkCall(token)
                declaration.index += 1
            }
        case .condition:
            guard declaration.isNext("("), try openGroup() else { throw NotPlain() }
        case .expression:
            if declaration.accept(";") {
                frames[frame].state = .start
            } else if try !openGroup() {
                try checkCall(token)
                declaration.index += 1
            }
        case .declarator: try readDeclarator(frame)
        case .declared:
            if declaration.isNext("[") {
                _ = try openGroup()
            } else if declaration.accept("=") {
                frames[frame].state = .initialiser
            } else if declaration.isNext(";") || declaration.isNext(",") {
                guard !frames[frame].mayBeFunction else { throw NotPlain() }
                frames[frame].state = declaration.isNext(";") ? .start : .declarator
                declaration.index += 1
            } else if token.word?.isAsm == true, frames[frame].isRegister {
                declaration.index += 1
                try declaration.readGroup(.texts)
            } else {
                throw NotPlain()
            }
        case .initialiser:
            if declaration.accept(";") {
                frames[frame].state = .start
            } else if declaration.accept(",") {
                frames[frame].state = .declarator
            } else if try !openGroup() {
                try checkCall(token)
                declaration.index += 1
            }
        }
    }

    private mutating func readStart(_ token: SourceTokens.Token, _ frame: Int) throws(NotPlain) {
        if declaration.accept(";") { return }
        if declaration.isNext("{") { return open(Frame(closing: "}", isBlock: true)) }
        if let word = token.word {
            switch word {
            case .case, .default:
                declaration.index += 1
                frames[frame].state = .label
                return
            case .else, .do, .extension:
                declaration.index += 1
                return
            case .if, .while, .switch:
                declaration.index += 1
                frames[frame].state = .condition
                return
            case .for:
                declaration.index += 1
                guard declaration.isNext("(") else { throw NotPlain() }
                // `for ( declaration; expression; expression )`
                return open(Frame(closing: ")", isBlock: true))
            case _ where word.isOfStatement || word.isAsm || word == .alignof || word == .alignof2 || word == .alignof3:
                frames[frame].state = .expression
                return
            default: return try readSpecifiers(frame)
            }
        }
        guard let name = declaration.name, let next = declaration.token(ahead: 1) else {
            frames[frame].state = .expression
            return
        }
        if next.isPunctuator(UInt8(ascii: ":")) {
            declaration.index += 2
        } else if next.kind == .identifier {
            // `type name`, `type const *name`: nothing else has two words at its beginning.
            try readSpecifiers(frame)
        } else if declaration.types.isMentioned(name), next.isPunctuator(UInt8(ascii: "*")) || next.isPunctuator(UInt8(ascii: "(")) {
            guard !next.isPunctuator(UInt8(ascii: "(")) else { throw NotPlain() }
            try readSpecifiers(frame)
        } else {
            frames[frame].state = .expression
        }
    }

    private mutating func readSpecifiers(_ frame: Int) throws(NotPlain) {
        var hasType = false
        frames[frame].mayBeFunction = false
        frames[frame].isRegister = false
        loop: while let token = declaration.token, token.kind == .identifier {
            guard let word = token.word else {
                guard !hasType else { break loop }
                guard declaration.types.areObjects(token.value) else { throw NotPlain() }
                hasType = true
                declaration.index += 1
                continue
            }
            switch word {
            case .const, .const2, .const3, .volatile, .volatile2, .volatile3, .static, .extension: declaration.index += 1
            case .register:
                frames[frame].isRegister = true
                declaration.index += 1
            case _ where word.isBasicType:
                hasType = true
                declaration.index += 1
            case .autoType:
                (hasType, frames[frame].mayBeFunction) = (true, true)
                declaration.index += 1
            case .struct, .union, .enum:
                _ = try readAnywhere(token)
                hasType = true
                declaration.index += 2
            case .attribute, .attribute2: try declaration.readAttribute()
            case .typeof, .typeof2, .typeof3:
                (hasType, frames[frame].mayBeFunction) = (true, true)
                declaration.index += 1
                try declaration.readGroup()
            default: throw NotPlain()
            }
        }
        guard hasType else { throw NotPlain() }
        // `struct tag;`
        if declaration.accept(";") { return }
        frames[frame].state = .declarator
    }

    private mutating func readDeclarator(_ frame: Int) throws(NotPlain) {
        while let token = declaration.token {
            if declaration.accept("*") { continue }
            if let word = token.word, word.isQualifier {
                declaration.index += 1
                continue
            }
            if token.word?.isAttribute == true {
                try declaration.readAttribute()
                continue
            }
            break
        }
        guard let name = declaration.name else { throw NotPlain() }
        own.insert(name)
        declaration.index += 1
        frames[frame].state = .declared
    }
}
