/// Reads the body of a static inline function that nothing calls. It takes effect only by what it declares for the whole file: functions in a
/// block, and anything behind `extern`. A body in which there may be such a declaration is not plain.
struct PlainBody {
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
