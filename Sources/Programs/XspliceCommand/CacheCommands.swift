import ArgumentParser
import Diagnostics
import LivepatchBuild
import Report
import SystemPackage
import XenBuild

/// `cache`: shows or removes the files that are kept between runs.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Say what is kept between runs, or remove it.",
        subcommands: [CacheStatusCommand.self, CacheClearCommand.self])
}

/// `--cache-dir`, for all commands that have it.
struct CacheFolderOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where work trees and compiled objects are kept. Default: $XDG_CACHE_HOME/xsplice-build or ~/.cache/xsplice-build.",
            valueName: "dir"))
    var cacheDir: String?

    func locate(_ console: Console) throws(UsageError) -> FilePath {
        try CacheFolder.locate(option: cacheDir, environment: console.environment)
    }
}

/// `cache status`: shows how much the cache holds.
struct CacheStatusCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Say how much the cache holds.")

    @OptionGroup var folder: CacheFolderOption

    @Flag(help: "Write JSON.")
    var json = false

    func run(on console: Console) throws -> ProcessExit {
        let path = try folder.locate(console), usage = try cacheUsage(of: path)
        console.output.write(
            json ? try JSONText.encode(usage, subject: path.string) : CacheText.render(usage, folder: path.string, style: console.outputStyle) + "\n")
        return .written
    }
}

/// `cache clear`: removes everything in the cache.
struct CacheClearCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Remove all that the cache holds. The next run takes longer; nothing else is lost.")

    @OptionGroup var folder: CacheFolderOption

    func run(on console: Console) throws -> ProcessExit {
        let path = try folder.locate(console)
        console.output.write("\(console.outputStyle.shown(path.string)): \(CacheText.size(try clearCache(path).size)) removed\n")
        return .written
    }
}
