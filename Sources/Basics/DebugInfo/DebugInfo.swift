import Diagnostics

/// What the compiler wrote down about an object file beside its code: who compiled it, which functions and which variables
/// with static storage it holds, where they are and where the source declares them.
///
/// Places are *section header index + offset* of that ELF file, so that a value of this type can be held against its symbol
/// table and its relocations. Entries are in the order of the debug information.
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

    /// What became of a function's `inline`, in the terms of `DW_AT_inline`.
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
    /// A function that was inlined everywhere has no `ranges`. One that the compiler cloned (`.isra`, `.constprop`, `.part`)
    /// appears once for each copy, always under its name in the source; the symbol at `entry` tells copies apart.
    package struct Function: Sendable, Equatable {
        /// An index into `DebugInfo.units`.
        package var unit: Int
        package var name: String
        /// The assembler's name, where it differs from the source's and the compiler says so.
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

    /// One step of the way from the file into the place where a variable is declared.
    package enum ScopeElement: Sendable, Equatable, Hashable {
        /// By the function's name in the source.
        case function(String)
        /// A block in braces: its position, from 0, among the blocks that the debug information has on that level.
        /// Blocks that declare nothing are left out by compilers.
        case block(Int)
    }

    /// A variable with an address that is known before the program runs.
    package struct Variable: Sendable, Equatable {
        /// An index into `DebugInfo.units`.
        package var unit: Int
        /// As the source has it: `count`, not `count.0`.
        package var name: String
        package var linkageName: String?
        package var isExternal: Bool
        package var declaration: SourceLocation?
        /// Empty at file level. For a static local, the function it is declared in, also where that function was inlined
        /// or cloned.
        package var scope: [ScopeElement]
        /// The section header index.
        package var section: Int
        /// From the start of the section, in bytes.
        package var offset: UInt64
        /// The size of its type in bytes; nil where the type is incomplete, such as an array without bound.
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

        /// The name of the function that the variable is local to, the innermost one where functions nest.
        package var enclosingFunction: String? {
            for case .function(let name) in scope.reversed() { return name }
            return nil
        }
    }
}
