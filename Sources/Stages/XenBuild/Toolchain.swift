import SystemPackage
import WorkFiles

/// The compiler and binutils of a build, and what distinguishes them from others.
struct Toolchain: Sendable, Equatable {
    /// The caller's `CC`, split into words, or the compiler with the cross prefix.
    var compiler: [String]
    /// The first line of `--version`.
    var displayName: String
    /// Changes when the compiler or the binutils change.
    var identity: String
    /// Flags that ask the compiler for the debug information that the comparison reads. They do not change the code.
    var debugFlags: [String]
    /// Whether the compiler can write something else for the beginning of `__FILE__`.
    var canReplaceMacroPaths: Bool
    /// Whether `SourceDifference` was held against what this compiler really makes, for many random changes: GCC 12 and 14 (`xen-rig headers`).
    var isTriedForSparing: Bool

    /// - Throws: `BuildError` when no compiler can be run.
    static func find(_ request: BuildRequest, runner: CommandRunner) async throws -> Toolchain {
        let chosen = request.environment["CC"].map { $0.split(separator: " ").map(String.init) } ?? []
        let compiler = chosen.isEmpty ? [request.crossPrefix + "gcc"] : chosen
        let name = compiler.joined(separator: " ")
        let help = helpOnMissing(compiler.last ?? name, for: request, isChosen: !chosen.isEmpty)
        guard let program = compiler.first, let path = runner.locate(program) else {
            throw BuildError("no compiler for \(request.architecture): '\(compiler.first ?? name)' is not in PATH", help: help)
        }
        guard let version = try await runner.output(compiler + ["--version"]) else {
            // A user who interrupts the run also interrupts its tools, which then seem to fail.
            try Task.checkCancellation()
            throw BuildError("no compiler for \(request.architecture): '\(name) --version' fails", help: help)
        }
        // A rebuilt compiler, or an edited wrapper, may report the same version.
        var identity = [name, path.string, version, Self.trace(of: path)]
        if let part = try await runner.output(compiler + ["-print-prog-name=cc1"])?.split(whereSeparator: \.isNewline).first, part.hasPrefix("/") {
            identity.append(Self.trace(of: FilePath(String(part))))
        }
        for tool in ["as", "ld", "objcopy"].map({ request.crossPrefix + $0 }) {
            guard runner.locate(tool) != nil else {
                throw BuildError(
                    "no binutils for \(request.architecture): '\(tool)' is not in PATH",
                    help: helpOnMissing("binutils for \(request.architecture)", for: request, isChosen: false))
            }
            identity.append(try await runner.output([tool, "--version"]) ?? "")
        }
        return Toolchain(
            compiler: compiler, displayName: version.split(whereSeparator: \.isNewline).first.map(String.init) ?? name,
            identity: identity.joined(separator: "\n"), debugFlags: debugFlags(version: version),
            canReplaceMacroPaths: canReplaceMacroPaths(version: version), isTriedForSparing: [12, 14].contains(gccVersion(version)))
    }

    /// The size and time of a program's file.
    private static func trace(of program: FilePath) -> String {
        guard let file = WorkFiles.resolved(program), let kind = try? WorkFiles.kind(of: file), case .regular(let size, _) = kind else { return "" }
        return "\(size) \(WorkFiles.lastTouched(file) ?? 0)"
    }

    /// GCC takes an eighth less time if it does not track the places of variables at each instruction, which nothing here reads. Other
    /// compilers refuse that option.
    ///
    /// - Parameter version: the compiler's output for `--version`.
    static func debugFlags(version: String) -> [String] {
        version.contains("Free Software Foundation") ? ["-g", "-fno-var-tracking"] : ["-g"]
    }

    /// Whether the compiler has `-fmacro-prefix-map`: GCC from 8 on, Clang from 10 on (the release notes of both).
    ///
    /// - Parameter version: the compiler's output for `--version`.
    static func canReplaceMacroPaths(version: String) -> Bool {
        let line = version.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        if let clang = line.firstRange(of: "clang version ") { return number(line[clang.upperBound...]) >= 10 }
        return gccVersion(version).map { $0 >= 8 } ?? false
    }

    /// The major version of GCC; nil for another compiler: `gcc (Debian 12.2.0-14) 12.2.0`, `gcc (GCC) 4.8.5 20150623 (Red Hat 4.8.5-44)`.
    private static func gccVersion(_ version: String) -> Int? {
        guard version.contains("Free Software Foundation") else { return nil }
        let line = version.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        let rest = line.firstIndex(of: ")").map { line[$0...].dropFirst() } ?? line.drop { $0 != " " }
        return number(rest.drop { $0 == " " })
    }

    private static func number(_ text: Substring) -> Int { Int(text.prefix { $0.isNumber && $0.isASCII }) ?? 0 }

    /// Help for the user when tools are missing.
    private static func helpOnMissing(_ what: String, for request: BuildRequest, isChosen: Bool) -> String {
        if isChosen || request.crossPrefix.isEmpty { return "install \(what), or set CC to the compiler to use" }
        let package = request.toolchainPackage.map { " (Debian: \($0))" } ?? ""
        return "install \(what)\(package), or give the prefix of its tools with --cross-compile"
    }
}
