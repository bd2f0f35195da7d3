/// A compiler's command line, read as GCC and Clang read it, as far as needed to know what is compiled into what.
package struct CompilerArguments: Sendable, Equatable {
    /// What the compiler is to make.
    package enum Mode: Sendable, Equatable { case object, assembly, preprocessed, linked }

    /// The whole command: the compiler, with a launcher before it if there is one, and the arguments.
    package var words: [String]
    package private(set) var mode: Mode = .linked
    /// Input files, without `-` (standard input).
    package private(set) var inputs: [String] = []
    package private(set) var output: String?
    /// The file that the dependencies are written to: `-MF`, or the part after `-Wp,-MD,`.
    package private(set) var dependencyFile: String?
    /// `-MQ` or `-MT`.
    package private(set) var dependencyTarget: String?
    /// `-include` and `-imacros`.
    package private(set) var forcedIncludes: [String] = []
    package private(set) var defines: Set<String> = []
    /// `-m32` or `-m16`: code that runs before the hypervisor is in its own mode.
    package private(set) var isBootMode = false

    /// Options that take the next word as their value.
    private static let withValue: Set<String> = [
        "-o", "-MF", "-MQ", "-MT", "-include", "-imacros", "-I", "-D", "-U", "-x", "-isystem", "-iquote", "-idirafter",
        "-iprefix", "-iwithprefix", "-iwithprefixbefore", "-isysroot", "-L", "-l", "-T", "-u", "-e", "-z", "-A", "-B",
        "-Xassembler", "-Xpreprocessor", "-Xlinker", "-Xclang", "--param", "-aux-info", "-dumpbase", "-dumpdir", "-target",
        "-arch", "-mllvm", "-specs",
    ]

    package init(_ words: [String]) {
        self.words = words
        // Skip the names of the compiler and of a launcher: they are not options and have no suffix of a source.
        var index = 1
        while index < words.count {
            let word = words[index]
            let value = index + 1 < words.count ? words[index + 1] : nil
            index += Self.withValue.contains(word) ? 2 : 1
            switch word {
            case "-c": mode = .object
            case "-S": mode = .assembly
            case "-E", "-M", "-MM": mode = .preprocessed
            case "-o": output = value
            case "-MF": dependencyFile = value
            case "-MQ", "-MT": dependencyTarget = value
            case "-include", "-imacros": if let value { forcedIncludes.append(value) }
            case "-D": if let value { defines.insert(value) }
            case "-m32", "-m16": isBootMode = true
            case _ where word.hasPrefix("-D"): defines.insert(String(word.dropFirst(2)))
            case _ where word.hasPrefix("-Wp,-MD,"): dependencyFile = String(word.dropFirst("-Wp,-MD,".count))
            case _ where word.hasPrefix("-Wp,-MMD,"): dependencyFile = String(word.dropFirst("-Wp,-MMD,".count))
            case _ where word.hasPrefix("-") || Self.withValue.contains(word): break
            case _ where Self.isSource(word): inputs.append(word)
            default: break
            }
        }
    }

    private static func isSource(_ word: String) -> Bool {
        [".c", ".S", ".s", ".h"].contains { word.hasSuffix($0) }
    }

    /// Whether this compiles one object of the hypervisor.
    ///
    /// The hypervisor's flags all define `__XEN__` and ask for a dependency file. Probes of the compiler ask for no dependencies, host
    /// tools do not define `__XEN__`, and 32-bit boot code is linked on its own.
    package var isHypervisorObject: Bool {
        mayBeHypervisorObject && inputs.count == 1 && output != nil && dependencyFile != nil && !isProbe
    }

    /// The same for a command line that is not fully known.
    package var mayBeHypervisorObject: Bool {
        mode == .object && !isBootMode && (defines.contains("__XEN__") || defines.contains("__XEN__=1"))
    }

    /// Up to 4.14, Xen gave all the usual flags to the object that probes for EFI support. The build looks at what is in that object.
    private var isProbe: Bool { inputs.first?.hasSuffix("efi/check.c") == true }
}
