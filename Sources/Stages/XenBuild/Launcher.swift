import SystemPackage
import WorkFiles

/// What stands before the compiler of each object: a program that keeps objects, or that compiles elsewhere.
struct Launcher: Sendable {
    /// The program and its arguments; none for the compiler alone.
    var words: [String] = []
    /// By the top of a private tree.
    private var variables: [FilePath: [String: String]] = [:]

    init() {}

    /// - Parameters:
    ///   - tops: of the trees that are compiled.
    ///   - folder: for a file of each.
    init(_ request: BuildRequest, tops: [FilePath], folder: FilePath) throws {
        words = request.launcher
        guard !words.isEmpty else { return }
        for (number, top) in tops.enumerated() {
            // ccache has files to look at beside a source, sccache a word.
            let digest = try IncludeGraph.assemblerInput(of: top.appending("xen"))
            let file = folder.appending("assembler-input-\(number)")
            try WorkFiles.write(Array(digest.utf8), to: file)
            let files = [request.environment["CCACHE_EXTRAFILES"], file.string].compactMap(\.self).joined(separator: ":")
            variables[top] = ["CCACHE_EXTRAFILES": files, "SCCACHE_C_CUSTOM_CACHE_BUSTER": digest]
        }
    }

    /// What its environment has to hold for an object of a tree.
    func variables(for top: FilePath) -> [String: String] { variables[top] ?? [:] }
}
