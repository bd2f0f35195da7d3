import Diagnostics

/// What the compiler wrote about an object file beside its code: which compiler it was, which functions and variables with
/// static storage the file holds, where they are and where the source declares them.
///
/// Places are a *section header index and an offset* in that ELF file, so they can be compared with its symbol table and its
/// relocations. Entries are in the order of the debug information.
package struct DebugInfo: Sendable, Equatable {
    /// False when the file has no DWARF units at all; everything else is empty then.
    package var hasDebugInfo: Bool { !units.isEmpty }
    package var units: [CompilationUnit]
    package var functions: [Function]
    package var variables: [Variable]

    package init(units: [CompilationUnit] = [], functions: [Function] = [], variables: [Variable] = []) {
        self.units = units
        self.functions = functions
        self.variables = variables
    }

    /// One run of a compiler or assembler.
    package struct CompilationUnit: Sendable, Equatable {
        /// The main source file as it was given to the compiler: `common/kernel.c`.
        package var name: String
        /// The folder that the compiler ran in.
        package var directory: String?
        /// The compiler, its version and the options that matter, in the compiler's own words (`DW_AT_producer`).
        package var producer: String?
        package var language: SourceLanguage?
        /// The version of the DWARF format: 4 or 5 from today's compilers.
        package var dwarfVersion: Int

        package init(
            name: String, directory: String?, producer: String?, language: SourceLanguage?, dwarfVersion: Int
        ) {
            self.name = name
            self.directory = directory
            self.producer = producer
            self.language = language
            self.dwarfVersion = dwarfVersion
        }
    }

    /// A language that hypervisors are written in.
    package enum SourceLanguage: Sendable, Equatable {
        case c
        case assembler
        /// Any other, by its `DW_LANG` number.
        case other(Int)
    }

    /// A stretch of machine code.
    package struct CodeRange: Sendable, Equatable, Hashable {
        /// The section header index.
        package var section: Int
        /// From the start of the section, in bytes.
        package var offset: UInt64
        /// In bytes.
        package var size: UInt64

        package init(section: Int, offset: UInt64, size: UInt64) {
            self.section = section
            self.offset = offset
            self.size = size
        }
    }

    /// Whether a function is declared inline and whether the compiler inlined it, in the terms of `DW_AT_inline`.
    package enum Inlining: Sendable, Equatable {
        /// Neither declared inline nor inlined anywhere.
        case none
        /// Inlined by the compiler's own choice.
        case byCompiler
        /// Declared inline, but not inlined.
        case declaredOnly
        /// Declared inline, and inlined.
        case declared

        /// True when copies of the function's code may be inside other functions.
        package var isInlined: Bool { self == .byCompiler || self == .declared }
    }

    /// A function of the source that the compiler generated code for.
    ///
    /// A function that was inlined everywhere has no `ranges`. A function that the compiler cloned (`.isra`, `.constprop`, `.part`)
    /// appears once for each copy, always under its name in the source; the symbol at `entry` tells the copies apart.
    package struct Function: Sendable, Equatable {
        /// An index into `DebugInfo.units`.
        package var unit: Int
        package var name: String
        /// The assembler's name, when it differs from the name in the source and the compiler says so.
        package var linkageName: String?
        package var isExternal: Bool
        package var declaration: SourceLocation?
        package var inlining: Inlining
        /// All machine code of this copy. The first range holds the entry; further ones are parts that the compiler
        /// split off, such as the cold one.
        package var ranges: [CodeRange]

        /// Where the function is entered, or nil when it has no code of its own.
        package var entry: CodeRange? { ranges.first }

        package init(
            unit: Int, name: String, linkageName: String? = nil, isExternal: Bool, declaration: SourceLocation?,
            inlining: Inlining, ranges: [CodeRange]
        ) {
            self.unit = unit
            self.name = name
            self.linkageName = linkageName
            self.isExternal = isExternal
            self.declaration = declaration
            self.inlining = inlining
            self.ranges = ranges
        }
    }

    /// One step on the way from the file level into the place where a variable is declared.
    package enum ScopeElement: Sendable, Equatable, Hashable {
        /// A function, by its name in the source.
        case function(String)
        /// A block in braces: its position, from 0, among the blocks that the debug information has on that level.
        /// Compilers leave out blocks that declare nothing.
        case block(Int)
    }

    /// A variable whose address is known before the program runs.
    package struct Variable: Sendable, Equatable {
        /// An index into `DebugInfo.units`.
        package var unit: Int
        /// The name in the source: `count`, not `count.0`.
        package var name: String
        package var linkageName: String?
        package var isExternal: Bool
        package var declaration: SourceLocation?
        /// Empty at file level. For a static local: the function that declares it, even when that function was inlined
        /// or cloned.
        package var scope: [ScopeElement]
        /// The section header index.
        package var section: Int
        /// From the start of the section, in bytes.
        package var offset: UInt64
        /// The size of the variable's type in bytes; nil when the type is incomplete, such as an array without a bound.
        package var size: UInt64?

        package init(
            unit: Int, name: String, linkageName: String? = nil, isExternal: Bool, declaration: SourceLocation?,
            scope: [ScopeElement], section: Int, offset: UInt64, size: UInt64?
        ) {
            self.unit = unit
            self.name = name
            self.linkageName = linkageName
            self.isExternal = isExternal
            self.declaration = declaration
            self.scope = scope
            self.section = section
            self.offset = offset
            self.size = size
        }

        /// The name of the function that the variable is local to, the innermost one when functions nest; nil at file level.
        package var enclosingFunction: String? {
            for case .function(let name) in scope.reversed() { return name }
            return nil
        }
    }
}
