import SystemPackage
import WorkFiles

/// The compiler and binutils of a build, and what tells them from others.
struct Toolchain: Sendable, Equatable {
    /// `CC` of the caller, split into words, or the compiler with the cross prefix.
    var compiler: [String]
    /// First line of `--version`.
    var displayName: String
    /// Changes when another compiler or other binutils would be used.
    var identity: String
    /// Ask the compiler for debug information, as far as the differ reads it. They change no code.
    var debugFlags: [String]

    /// - Throws: `BuildError` when there is no compiler that runs.
    static func find(_ request: BuildRequest, runner: CommandRunner) async throws -> Toolchain {
        let chosen = request.environment["CC"].map { $0.split(separator: " ").map(String.init) } ?? []
        let compiler = chosen.isEmpty ? [request.crossPrefix + "gcc"] : chosen
        let name = compiler.joined(separator: " ")
        let help = helpOnMissing(compiler.last ?? name, for: request, isChosen: !chosen.isEmpty)
        guard let program = compiler.first, let path = runner.locate(program) else {
            throw BuildError("no compiler for \(request.architecture): '\(compiler.first ?? name)' is not in PATH", help: help)
        }
        guard let version = try await runner.output(compiler + ["--version"]) else {
            // Who interrupts a run interrupts its tools.
            try Task.checkCancellation()
            throw BuildError("no compiler for \(request.architecture): '\(name) --version' fails", help: help)
        }
        // A compiler that was built anew, or a wrapper that was edited, may say the same of itself.
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
            identity: identity.joined(separator: "\n"), debugFlags: debugFlags(version: version))
    }

    /// Size and time of a program's file.
    private static func trace(of program: FilePath) -> String {
        guard let file = WorkFiles.resolved(program), let kind = try? WorkFiles.kind(of: file), case .regular(let size, _) = kind else { return "" }
        return "\(size) \(WorkFiles.lastTouched(file) ?? 0)"
    }

    /// GCC takes an eighth less time without the places of variables at each instruction, which nobody asks for; others refuse that option.
    ///
    /// - Parameter version: what the compiler answers to `--version`.
    static func debugFlags(version: String) -> [String] {
        version.contains("Free Software Foundation") ? ["-g", "-fno-var-tracking"] : ["-g"]
    }

    /// What to do about tools that are not there.
    private static func helpOnMissing(_ what: String, for request: BuildRequest, isChosen: Bool) -> String {
        if isChosen || request.crossPrefix.isEmpty { return "install \(what), or set CC to the compiler to use" }
        let package = request.toolchainPackage.map { " (Debian: \($0))" } ?? ""
        return "install \(what)\(package), or give the prefix of its tools with --cross-compile"
    }
}
