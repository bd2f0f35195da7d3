import Diagnostics

/// Why a patched item was correlated with an item of the original.
package enum TwinEvidence: Sendable, Equatable {
    /// Both have the same name, and the source can use that name only once in a file.
    case name
    /// Both have several names, and share one that the source can use only once in a file.
    case otherName(String)
    /// The patch leaves the line that declares it alone.
    case declaration(SourceLocation)
    /// The patch leaves the line that declares it alone, and a macro makes its name. `isCertain` is false if that macro may have changed.
    case macroDeclaration(SourceLocation, isCertain: Bool)
    /// Both are declared in the outermost block of the same function, where the language allows a name only once. No other block of the
    /// function declares that name, before or after the patch.
    case onlyOneOfFunction
    /// Both are declared in the outermost block of the same function, and other blocks of it declare the same name.
    case outermostBlock
    /// The patch replaces the line that declares it by another. No other line around these two declares that name in the function.
    case rewrittenLine(from: SourceLocation, to: SourceLocation, hasSameText: Bool)
    /// The patch removes the line that declares it, and adds a line with the same text elsewhere in the function.
    case movedLine(from: SourceLocation, to: SourceLocation)
    /// Both are declared in lines of the same number. Nobody knows which line became which.
    case lineNumber(SourceLocation)
    /// Both are declared in the same block, counted from the start of the function. Nobody knows which line became which.
    case block
    /// Both are the only one of their name in the function. Nobody knows which line became which.
    case onlyOneOfItsName
    /// Debug information says nothing about either, and their names are the same without the compiler's numbers.
    case nameWithoutNumber
    /// Variants of a function that the compiler made, with the same code.
    case sameCode
    /// Variants of a function, matched in the compiler's order; both sides have the same number of them.
    case orderOfVariants
    /// Variants of a function, with the same full name.
    case nameOfVariant

    /// How much doubt is left that the variables are the same; nil if the language or the patch itself leaves none. For functions it does
    /// not matter.
    package var doubt: Severity? {
        switch self {
        case .name, .otherName, .declaration, .onlyOneOfFunction, .sameCode, .orderOfVariants, .nameOfVariant: nil
        case .macroDeclaration(_, isCertain: true): nil
        case .rewrittenLine(_, _, hasSameText: true): .note
        case .macroDeclaration, .outermostBlock, .rewrittenLine, .movedLine, .lineNumber, .block, .onlyOneOfItsName, .nameWithoutNumber: .warning
        }
    }

    /// The line of the patched source that declares it now, as an editor counts lines; nil if the evidence is another.
    var place: SourceLocation? {
        switch self {
        case .rewrittenLine(_, let to, _), .movedLine(_, let to): to
        default: nil
        }
    }

    /// The evidence in words. They follow a colon, after the names of both items.
    package var words: String {
        switch self {
        case .name: "both have the same name"
        case .otherName(let name): "both have the name \(name)"
        case .declaration(let place): "the patch leaves its declaration at \(place) alone"
        case .macroDeclaration(let place, true): "the patch leaves its declaration at \(place) alone, where a macro makes the name"
        case .macroDeclaration(let place, false):
            "the patch leaves the declaration at \(place) alone, but changes macros, one of which may give the variable its name"
        case .onlyOneOfFunction: "each is the only one of its name in its function, and declared in the outermost block"
        case .outermostBlock: "both are declared in the outermost block of the function, which declares that name in other blocks, too"
        case .rewrittenLine(let from, let to, true): "the patch replaces its declaration at \(from) by one with the same words at \(to)"
        case .rewrittenLine(let from, let to, false): "the patch replaces its declaration at \(from) by the one at \(to)"
        case .movedLine(let from, let to): "the patch removes its declaration at \(from) and adds one with the same words at \(to)"
        case .lineNumber(let place): "both are declared at \(place), and it is not known which line became which"
        case .block: "both are declared in the same block, counted from the start of the function, and it is not known which line became which"
        case .onlyOneOfItsName: "each is the only one of its name in its function, and it is not known which line became which"
        case .nameWithoutNumber: "their names are the same but for the compiler's number, and debug info does not mention them"
        case .sameCode: "both variants have the same code"
        case .orderOfVariants: "both stand at the same place among the compiler's variants"
        case .nameOfVariant: "both variants have the same name"
        }
    }
}

/// The original item that a patched item was correlated with.
package struct Twin: Sendable, Equatable {
    package let original: OriginalItem.ID
    package let evidence: TwinEvidence
}
