import SystemPackage
import WorkFiles

/// The program that runs the compiler of each object, if there is one: a compiler cache, or a program that compiles on other machines.
struct Launcher: Sendable {
    /// The program and its arguments; empty when the compiler runs directly.
    var words: [String] = []
    /// Environment variables, by the top of a private tree.
    private var variables: [FilePath: [String: String]] = [:]

    init() {}

    /// - Parameters:
    ///   - tops: the tops of the trees that are compiled.
    ///   - folder: the folder for one file for each tree.
    init(_ request: BuildRequest, tops: [FilePath], folder: FilePath) throws {
        words = request.launcher
        guard !words.isEmpty else { return }
        for (number, top) in tops.enumerated() {
            // ccache can take another file into account besides a source; sccache can take a word.
            let digest = try IncludeGraph.assemblerInput(of: top.appending("xen"))
            let file = folder.appending("assembler-input-\(number)")
            try WorkFiles.write(Array(digest.utf8), to: file)
            let files = [request.environment["CCACHE_EXTRAFILES"], file.string].compactMap(\.self).joined(separator: ":")
            variables[top] = ["CCACHE_EXTRAFILES": files, "SCCACHE_C_CUSTOM_CACHE_BUSTER": digest]
        }
    }

    /// The variables that the launcher's environment needs for objects of a tree.
    func variables(for top: FilePath) -> [String: String] { variables[top] ?? [:] }
}
